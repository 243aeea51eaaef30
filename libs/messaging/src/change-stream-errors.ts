import { SluiceError } from '@sluice/contracts';

/** Another publisher wrote to the stream, or a message of ours was stored without us knowing: start a new session. */
export class PublisherFencedError extends SluiceError {
  constructor(detail: string, cause?: unknown) {
    super('SLUICE-5004', { detail, cause });
  }
}

/** It is not known whether the message was stored (connection lost, no answer): start a new session. */
export class PublishUncertainError extends SluiceError {
  constructor(detail: string, cause?: unknown) {
    super('SLUICE-7001', { detail, cause });
  }
}

/** The stream is not there (wiped or deleted): `ensure` it and start a new session. */
export class ChangeStreamMissingError extends SluiceError {
  constructor(detail: string, cause?: unknown) {
    super('SLUICE-7001', { detail, cause });
  }
}

/** The reader's consumer was deleted: a newer reader took over, or the server lost it. */
export class ReaderReplacedError extends SluiceError {
  constructor(detail: string) {
    super('SLUICE-5004', { detail });
  }
}

/** The connection was lost while reading; what was under way to us comes again to a new reader. */
export class ReaderDisconnectedError extends SluiceError {
  constructor(detail: string) {
    super('SLUICE-7001', { detail });
  }
}

/** A message is missing between two that were delivered. */
export class ChangeStreamGapError extends SluiceError {
  constructor(detail: string) {
    super('SLUICE-5007', { detail });
  }
}
