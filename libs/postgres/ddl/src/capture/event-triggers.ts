/** All run the same function, which looks at what fired it. */
const EVENTS = [
  { suffix: '_end', event: 'ddl_command_end' },
  { suffix: '_drop', event: 'sql_drop' },
  { suffix: '_rewrite', event: 'table_rewrite' },
] as const;

interface EventTrigger {
  readonly name: string;
  readonly event: string;
}

/**
 * The server fires event triggers in the order of their names. Ours have to be the first: the DDL that another one runs comes after the
 * statement that fired it, and may need what that made.
 */
export function eventTriggers(helperName: string): EventTrigger[] {
  return EVENTS.map(({ suffix, event }) => ({ name: `00_${helperName}${suffix}`, event }));
}

export interface DdlCaptureOptions {
  /** The schema that is made, and the prefix of the event triggers and messages. */
  readonly helperName: string;
  /** Gets the table that carries events where the server has no logical messages (before PostgreSQL 14); it must exist there. */
  readonly publicationName: string;
}
