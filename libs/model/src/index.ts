export { formatLsn, type Lsn, lsnFromBigInt, type LsnText, maxLsn, parseLsn, ZERO_LSN } from './lsn.js';
export { type ApplySight, type CaptureSight, type Completeness, type Delay, measureDelay } from './task-delay.js';
export { bytesPerSecondAt } from './rate-limit.js';
export { addRetentionSample, type RetentionSample, secondsUntilSlotLost } from './slot-forecast.js';
export {
  formatSourceIdentity,
  parseSourceIdentity,
  parseTimelineHistory,
  refuseSource,
  type SourceIdentity,
} from './source-identity.js';
export {
  isAbnormal,
  parseTaskAction,
  parseTaskState,
  TASK_ACTIONS,
  TASK_STATES,
  type TaskAction,
  type TaskState,
} from './task-state.js';
export { type ActionCell, ACTIONS, availableActions } from './task-state-actions.js';
export { type ActionDecision, type Command, decideAction, possibleActions } from './task-state-decide-action.js';
export { decideEvent } from './task-state-decide-event.js';
export {
  type Decision,
  NEW_TASK,
  type OpenRun,
  type Order,
  TASK_STAGES,
  type TaskSituation,
  type TaskStage,
} from './task-state-situation.js';
export {
  judgeObjects,
  type NamedObject,
  type ObjectJudge,
  type PlacedTable,
  type SchemaAndName,
} from './object-selection.js';
