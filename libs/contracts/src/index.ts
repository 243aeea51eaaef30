export { ERRORS, type ErrorCode, type ErrorSpec, type RetryPolicy } from './errors/catalogue.js';
export { SluiceError, type SluiceErrorOptions } from './errors/sluice-error.js';
export {
  ApiKeyList,
  ApiKeyResource,
  ApiKeyScope,
  CreateApiKeyRequest,
  CreatedApiKey,
  Role,
  ROLES,
} from './http/api-key.js';
export { AuditedKind, AuditEvent, AuditEventList, AuditQuery } from './http/audit-event.js';
export {
  CatalogObjectList,
  CatalogObjectsQuery,
  CatalogQuery,
  CatalogSchemaList,
  ClosureRequest,
} from './http/catalog.js';
export { PageQuery, pageOf } from './http/page.js';
export { CreateProjectRequest, ProjectList, ProjectResource, RenameProjectRequest } from './http/project.js';
export {
  CreateTaskRequest,
  EndpointInput,
  EndpointView,
  EndTaskRequest,
  NameCheck,
  NameCheckQuery,
  ObjectsSummary,
  ProblemDocument,
  TaskDelay,
  TaskName,
  TaskResource,
  TlsInput,
} from './http/task.js';
export {
  CATALOG_PAGE_MAX,
  CatalogAnswer,
  CatalogObject,
  CatalogPosition,
  CatalogRequest,
  catalogQuestion,
  CatalogSchema,
  CLOSURE_LISTED_MAX,
  NeededObject,
  SelectionClosure,
} from './messages/source-catalog.js';
export { Alarm, AlarmKind, AlarmRecorded, alarmRecords, RecordAlarm } from './messages/alarms.js';
export {
  AppliedMessage,
  appliedMessages,
  CHANGE_BATCH_BYTES_MAX,
  CHANGE_HEADERS,
  ClockReply,
  ClockRequest,
  clockRequests,
  EARLY_ACK_BYTES,
  RewindMessage,
  rewindMessages,
  STORED_REPLICAS_MIN,
  taskChanges,
} from './messages/change-stream.js';
export {
  Conflict,
  ConflictAction,
  ConflictKind,
  conflictRecords,
  ConflictsRecorded,
  RecordConflicts,
  RowImage,
} from './messages/conflicts.js';
export { CheckOutcome, CheckReport, ConnectionStep, ConnectionTestResult, PrecheckResult } from './messages/checks.js';
export { CredentialsReply, CredentialsRequest, credentialsRequests } from './messages/credentials.js';
export {
  ConflictPolicy,
  DDL_CLASSES,
  DdlAction,
  DdlClass,
  DdlDecision,
  DdlOptions,
  DEFAULT_INCREMENTAL_OPTIONS,
  IncrementalOptions,
} from './messages/incremental-options.js';
export {
  MalformedPattern,
  type ParsedPattern,
  parsePattern,
  patternOf,
  type PatternToken,
} from './messages/object-pattern.js';
export {
  EVERYTHING,
  Identifier,
  ListedObject,
  ObjectPattern,
  ObjectSelection,
  SELECTABLE_KINDS,
  SelectableKind,
  SELECTION_BYTES_MAX,
} from './messages/object-selection.js';
export { DelayParts, Progress, ProgressMessage, progressMessages, SlotHealth } from './messages/progress.js';
export {
  ANSWER_BYTES_MAX,
  defineQuestion,
  type Question,
  type QuestionMessage,
  QuestionReply,
} from './messages/questions.js';
export { SEQUENCES_PER_MESSAGE_MAX, sequenceMessages, SequencesMessage } from './messages/sequences.js';
export {
  RoleObstacle,
  RoleObstacleKind,
  SourceRole,
  SourceRoleList,
  SourceRolesQuery,
  sourceRolesQuestion,
} from './messages/source-roles.js';
export { StageEvent, stageEvents, StageResult, TaskEvent, taskEvents } from './messages/stage-events.js';
export {
  ApplyRun,
  BuildRun,
  CaptureRun,
  CleanupRun,
  ConnectionTestRun,
  CopyRun,
  DesiredState,
  FullLoadRun,
  PrecheckRun,
  RUN_ACK_WAIT_MS,
  RUN_HEARTBEAT_MS,
  SnapshotRun,
  Stage,
  StageRun,
  type StageRunOf,
  stageRuns,
  STAGES,
} from './messages/stage-runs.js';
export { CHANGES_MAX_BYTES_DEFAULT, DESIRED_BUCKET, EVENTS_STREAM, RUNS_STREAM } from './messages/streams.js';
export { defineSubject, type Subject } from './messages/subject.js';
export { helperObjectName, SyncType, TaskSpec } from './messages/task-spec.js';
export { COPY_PRESENCE_INTERVAL_MS, CopyPresence, copyPresences } from './messages/copy-presence.js';
export { holdsMinute, minuteOfDay, NO_RATE_LIMIT, RateLimit, type RateLimitWindow } from './messages/rate-limit.js';
export { DEFAULT_USER_OPTIONS, UserOptions } from './messages/user-options.js';
export { ErrorReport, LsnTextSchema, ProjectId, Side, TableName, TaskId } from './primitives.js';
