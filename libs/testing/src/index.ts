export { EVERY_TYPE, everyType, USER_TYPES } from './builders/every-type.js';
export { seededRandom } from './builders/random.js';
export { sampleTraffic, type SampleTrafficOptions } from './builders/sample-traffic.js';
export { KEYLESS, PARTITIONED, QUOTED_NAMES } from './builders/shapes.js';
export { ORDERS } from './builders/shop.js';
export { TYPE_SAMPLES, type TypeSample } from './builders/type-samples.js';
export { type CutOptions, type FaultProxy, faultProxy } from './faults/fault-proxy.js';
export { KILL_POINTS, killPointEnvironment, type KillPointName } from './faults/kill-points.js';
export { type NatsCluster, natsCluster } from './nats/nats-cluster.js';
export { dedicatedNats, testNats } from './nats/test-nats.js';
export { catalogueOf } from './postgres/catalogue.js';
export { DdlPair, failureOf } from './postgres/ddl-pair.js';
export {
  expectSameRows,
  findDifferences,
  type SameRowsOptions,
  type TableDifference,
} from './postgres/expect-same-rows.js';
export { DUMPED_MAJOR, dumpSchema, findPgDump } from './postgres/pg-dump.js';
export { type RecordedTransaction, startRecording, takeRecorded } from './postgres/recorded-changes.js';
export { PLAN_SETTINGS, planStructure, runStatements, transferStructure } from './postgres/structure-transfer.js';
export { type Row, testDatabase, type TestDatabase, type TestDatabaseOptions } from './postgres/test-database.js';
export { dedicatedServer, testServer, type TestServerOptions } from './postgres/test-server.js';
export { waitFor, type WaitOptions } from './wait-for.js';
