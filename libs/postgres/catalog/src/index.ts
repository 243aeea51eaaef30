export { type ColumnFacts } from './columns.js';
export { inUserSchema, notExtensionMember, OWN_SCHEMA, type QualifiedName, type TableSelection } from './scope.js';
export { readSequences, type SequenceState, setSequences } from './sequences.js';
export { readServerFacts, type ServerFacts } from './server-facts.js';
export { readRows, readVersionNum, since, sql, type Sql } from './sql.js';
export { readTables, type TableFacts } from './tables.js';
