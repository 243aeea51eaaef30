export { dedicatedNats, testNats } from './nats/test-nats.js';
export { type Row, testDatabase, type TestDatabase, type TestDatabaseOptions } from './postgres/test-database.js';
export { dedicatedServer, testServer, type TestServerOptions } from './postgres/test-server.js';
export { waitFor, type WaitOptions } from './wait-for.js';
