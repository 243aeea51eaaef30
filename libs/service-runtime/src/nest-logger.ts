import { type LoggerService } from '@nestjs/common';
import { type Logger } from '@sluice/telemetry';

/** Nest's own messages as lines of our log; its start-up chatter is debug. */
export class NestLogger implements LoggerService {
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  log(message: unknown, ...rest: unknown[]): void {
    this.#log.debug({ nest: contextOf(rest) }, String(message));
  }

  error(message: unknown, ...rest: unknown[]): void {
    if (message instanceof Error) this.#log.error({ err: message, nest: contextOf(rest) }, 'unexpected error');
    else this.#log.error({ nest: contextOf(rest) }, String(message));
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.#log.warn({ nest: contextOf(rest) }, String(message));
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.#log.debug({ nest: contextOf(rest) }, String(message));
  }
}

function contextOf(rest: readonly unknown[]): string | undefined {
  const last = rest.at(-1);
  return typeof last === 'string' ? last : undefined;
}
