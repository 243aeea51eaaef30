export { applyPreData } from './apply-pre-data.js';
export { findCollisions } from './find-collisions.js';
export { type Statement, type StatementPhase, type StructurePlan, type UnsupportedObject } from './plan.js';
export { readStructure, type StructureOptions } from './read-structure.js';
export { readTargetFacts, type TargetFacts } from './target-facts.js';
