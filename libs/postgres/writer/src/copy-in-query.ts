import pg, { type QueryResult } from 'pg';

/** `c`, int32 length: CopyDone. */
const COPY_DONE = Buffer.from([0x63, 0, 0, 0, 4]);

export interface CopyIn {
  readonly text: string;
  /** A CopyData message with all rows. */
  readonly copyData: Buffer;
  /** The message's memory may be used again. An answer says nothing of it: a failed command is answered before its rows have left. */
  readonly onSent: () => void;
}

/**
 * `COPY … FROM STDIN` together with its rows, sent without waiting for the server to ask for them, so that it can be
 * pipelined. A server that refuses the command reads over the rows: outside of a COPY it ignores CopyData and CopyDone.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-COPY, src/backend/tcop/postgres.c (PostgresMain)
 *
 * `pg` has no such query; in pipeline mode it takes only subclasses of its own (pg 8.23, lib/client.js, `query`).
 */
export class CopyInQuery extends pg.Query {
  constructor(
    { text, copyData, onSent }: CopyIn,
    callback: (error: Error | undefined, result: Pick<QueryResult, 'rowCount'>) => void,
  ) {
    super(text, callback);
    this.submit = (connection) => {
      const { stream } = connection;
      // One system call instead of three.
      stream.cork();
      connection.query(text);
      stream.write(copyData, onSent);
      stream.write(COPY_DONE);
      stream.uncork();
    };
  }

  /** The rows were sent with the command. */
  handleCopyInResponse(): void {
    // Nothing is left to do.
  }
}
