export { Bus, type BusStatus, connectBus, type ConnectBusOptions } from './bus.js';
export { ChangePublisher, type StoredBatch } from './change-publisher.js';
export { type ChangeMessage, ChangeReader } from './change-reader.js';
export {
  ChangeStreamGapError,
  ChangeStreamMissingError,
  PublisherFencedError,
  PublishUncertainError,
  ReaderDisconnectedError,
  ReaderReplacedError,
} from './change-stream-errors.js';
export { type ChangeStreamInfo, type ChangeStreams, changeStreams, type OpenReaderOptions } from './change-streams.js';
export { recordConflicts } from './conflicts.js';
export { requestEndpoints, serveCredentials, type ServeCredentialsOptions, TaskEndpoints } from './credentials.js';
export { type DesiredStates, desiredStates } from './desired-states.js';
export { type ConsumeEventsOptions, consumeEvents, type EventContext } from './events.js';
export { OnEvent, OnMessage, OnRequest, OnRun } from './handler-decorators.js';
export { JetStreamStrategy, type JetStreamStrategyOptions } from './jetstream-strategy.js';
export { publish, type PublishOptions, publishRun } from './publish.js';
export { answer, type AnswerOptions, ask } from './questions.js';
export { request, type RequestOptions, serveRequests, type ServeRequestsOptions } from './request-reply.js';
export { RunLostError } from './run-lease.js';
export { type ConsumeRunsOptions, consumeRuns, type RunContext } from './runs.js';
export { storedRunSubjects } from './stored-runs.js';
export { type Listening, subscribe, type SubscribeOptions } from './subscribe.js';
