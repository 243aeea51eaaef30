export { type ColumnFacts } from './columns.js';
export { inUserSchema, notExtensionMember, OWN_SCHEMA, type QualifiedName, type TableSelection } from './scope.js';
export { bringSequences, type BroughtSequences } from './bring-sequences.js';
export {
  listSequences,
  readSequences,
  readSequenceStates,
  type SequenceChoice,
  type SequenceState,
  setSequences,
} from './sequences.js';
export { SequenceLooks } from './sequence-looks.js';
export { readServerFacts, type ServerFacts } from './server-facts.js';
export { readRows, readVersionNum, since, sql, type Sql } from './sql.js';
export { readTables, type TableFacts } from './tables.js';
export { readAncestors, readSelectedTables, selectTables } from './selected-tables.js';
export { readSelectableObjects, SELECTABLE_OBJECTS, type SelectableObject } from './selectable-objects.js';
export { browseObjects, browseSchemas, type BrowseOptions, type CatalogPage, type ObjectFilter } from './browse.js';
export {
  type LargeObjectFacts,
  type LargeObjectRun,
  readLargeObjectFacts,
  readLargeObjectRuns,
  readRolesOfLargeObjects,
  readTakenLargeObjects,
  readUnreadableLargeObjects,
  type UnreadableLargeObject,
} from './large-objects.js';
