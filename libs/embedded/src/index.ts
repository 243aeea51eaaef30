export { EmbeddedError, type EmbeddedFailure } from './embedded-error.js';
export { freePort } from './free-port.js';
export { ensureNats } from './nats-binary.js';
export {
  attachNats,
  type EmbeddedNatsServer,
  type NatsFacts,
  type NatsServer,
  startNats,
  type StartNatsOptions,
} from './nats-server.js';
export { ensurePostgres, type PostgresBinaries, type Report } from './postgres-binaries.js';
export {
  attachPostgres,
  type EmbeddedPostgresServer,
  type PostgresFacts,
  type PostgresServer,
  startPostgres,
  type StartPostgresOptions,
  type StopMode,
  TEST_SETTINGS,
} from './postgres-server.js';
export { DEFAULT_POSTGRES_MAJOR, POSTGRES_MAJORS, type PostgresMajor } from './postgres-versions.js';
export { dismissWatchdog, runAtDeath, type SupervisedProcess } from './supervised-process.js';
