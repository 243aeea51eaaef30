import { SluiceError } from '@sluice/contracts';
import { type LineError } from './object-list.js';

/** More would not help a person, and a problem document is one answer. */
const ERRORS_SHOWN_MAX = 500;

/** A list of which nothing was taken, with every line that is wrong. */
export class ListRefusedError extends SluiceError {
  readonly errors: readonly { readonly path: string; readonly message: string }[];

  constructor(errors: readonly LineError[]) {
    const count = errors.length === 1 ? 'one line is' : `${errors.length} lines are`;
    super('SLUICE-6001', {
      detail: `${count} wrong, and nothing was taken: ${errors
        .slice(0, 3)
        .map(({ line, message }) => `line ${line}: ${message}`)
        .join('; ')}${errors.length > 3 ? '; …' : ''}`,
      remedy: 'Correct the lines named.',
    });
    this.errors = errors.slice(0, ERRORS_SHOWN_MAX).map(({ line, message }) => ({ path: `line ${line}`, message }));
  }
}
