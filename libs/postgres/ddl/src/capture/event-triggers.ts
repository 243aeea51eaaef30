/** All run the same function, which looks at what fired it. */
export const EVENT_TRIGGERS = [
  { suffix: '_end', event: 'ddl_command_end' },
  { suffix: '_drop', event: 'sql_drop' },
  { suffix: '_rewrite', event: 'table_rewrite' },
] as const;

export interface DdlCaptureOptions {
  /** The schema that is made, and the prefix of the event triggers and messages. */
  readonly helperName: string;
  /** Gets the table that carries events where the server has no logical messages (before PostgreSQL 14); it must exist there. */
  readonly publicationName: string;
}
