export { type ColumnFacts } from './columns.js';
export { inUserSchema, notExtensionMember, OWN_SCHEMA, type QualifiedName, type TableSelection } from './scope.js';
export { bringSequences, type BroughtSequences } from './bring-sequences.js';
export { readSequences, readSequenceStates, type SequenceState, setSequences } from './sequences.js';
export { SequenceLooks } from './sequence-looks.js';
export { readServerFacts, type ServerFacts } from './server-facts.js';
export { readRows, readVersionNum, since, sql, type Sql } from './sql.js';
export { readTables, type TableFacts } from './tables.js';
