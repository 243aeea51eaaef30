export { ddlCaptureState, type DdlCaptureState } from './capture/ddl-capture-state.js';
export { type DdlCaptureOptions } from './capture/event-triggers.js';
export { ddlCaptureScript, installDdlCapture, removeDdlCapture } from './capture/install-ddl-capture.js';
export { CAPTURE_SETTING } from './capture/trigger-function.js';
export { type CapturedDdl, type DdlColumnFacts, DdlEvent, type DdlTableFacts } from './ddl-event.js';
export {
  type DdlCommand,
  type DdlPlan,
  type NameMapping,
  type OwnerStatement,
  type RenamedTable,
  type StoredTable,
} from './ddl-plan.js';
export {
  ddlEventOfMessage,
  ddlEventOfRow,
  decodeDdlEvent,
  isDdlEventTable,
  isDdlMessage,
  type StatementTexts,
} from './decode-ddl-event.js';
export { type EventSigning, isSigned, readEventSigning, type SigningRead } from './event-signing.js';
export { planDdl } from './plan-ddl.js';
export { type DdlName, type DdlSubject, type PartitionChange } from './plan/ddl-subjects.js';
export { splitAlteration, type SplitAlteration } from './split-alteration.js';
export { rewriteNames } from './rewrite/rewrite-names.js';
