import { type CapturedDdl } from '../ddl-event.js';

/** A text of which one statement fired the event. Where the innermost call cannot be told from its text, there are several. */
export type FiringText =
  | { readonly kind: 'texts'; readonly texts: readonly string[] }
  /** The statement is this one of all in the text, from 1. */
  | { readonly kind: 'functions'; readonly sources: readonly string[]; readonly position: number }
  | { readonly kind: 'extension-script' }
  | { readonly kind: 'unknown'; readonly reason: string };

const STATEMENT = 'SQL statement "';
/** What can call a statement; each frame of a context begins a line. */
const FRAME =
  /^(SQL (statement|expression|function) "|PL\/|PLy|SPI|extension script file "|COPY |[A-Z][\w/]* function )/;

/** The innermost text of the call stack that PG_CONTEXT gives. Frames are not escaped, so a text can look like the end of itself. */
export function firingText(event: CapturedDdl): FiringText {
  const { context, query } = event;
  if (context === '') {
    return query === null || query === ''
      ? { kind: 'unknown', reason: 'the session had no text of it' }
      : { kind: 'texts', texts: [query] };
  }
  if (/^extension script file "/m.test(context)) return { kind: 'extension-script' };
  if (context.startsWith(STATEMENT)) return { kind: 'texts', texts: quotedTexts(context) };
  const inFunction = /^SQL function "[^]*?" statement (\d+)/.exec(context);
  if (inFunction) return { kind: 'functions', sources: event.functionSources, position: Number(inFunction[1]) };
  return { kind: 'unknown', reason: `it was called in a way that is not known: ${firstLine(context)}` };
}

/** All texts that the first frame may quote: up to each quote that ends a line before another frame, or ends the context. */
function quotedTexts(context: string): string[] {
  const texts: string[] = [];
  for (let at = context.indexOf('"', STATEMENT.length); at !== -1; at = context.indexOf('"', at + 1)) {
    const rest = context.slice(at + 1);
    if (rest === '' || (rest.startsWith('\n') && FRAME.test(rest.slice(1))))
      texts.push(context.slice(STATEMENT.length, at));
  }
  return texts;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
