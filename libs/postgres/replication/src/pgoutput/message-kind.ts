const code = (letter: string): number => letter.charCodeAt(0);

/** First byte of a pgoutput message, protocol 2: https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html */
export const MESSAGE_KIND = {
  begin: code('B'),
  commit: code('C'),
  origin: code('O'),
  relation: code('R'),
  type: code('Y'),
  insert: code('I'),
  update: code('U'),
  delete: code('D'),
  truncate: code('T'),
  message: code('M'),
  /** Changes of a transaction that is still running at the source follow, up to `streamStop`. */
  streamStart: code('S'),
  streamStop: code('E'),
  streamCommit: code('c'),
  streamAbort: code('A'),
} as const;

/** How a cell of a tuple came: null, unchanged TOAST (not sent), text, binary. */
export const CELL_KIND = { null: code('n'), unchanged: code('u'), text: code('t'), binary: code('b') } as const;
