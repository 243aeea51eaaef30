/** What the source says of an old row, by name: the statement gives it to a table whose `id` is unique. */
export const IDENTITIES: Readonly<Record<string, (table: string) => string>> = {
  'primary key': (table) => `ALTER TABLE ${table} ADD PRIMARY KEY (id);`,
  'unique index': (table) => `
    CREATE UNIQUE INDEX ${table}_identity ON ${table} (id);
    ALTER TABLE ${table} REPLICA IDENTITY USING INDEX ${table}_identity;`,
  'full with key': (table) => `
    ALTER TABLE ${table} ADD PRIMARY KEY (id);
    ALTER TABLE ${table} REPLICA IDENTITY FULL;`,
  'full without key': (table) => `ALTER TABLE ${table} REPLICA IDENTITY FULL;`,
};
