export { classifyConnectError, isConnectionLoss } from './classify-error.js';
export { type Client, clientConfig, connect, type ConnectOptions, startupOptions, VALUE_SETTINGS } from './connect.js';
export { parseConnectionUrl } from './connection-url.js';
export { describeEndpoint, type Endpoint, type TlsMode, type TlsSettings, toEndpoint } from './endpoint.js';
export { quoteIdentifier, quoteLiteral, quoteQualified } from './identifiers.js';
export { connectInOwnBytes } from './server-encoding.js';
export { hasSqlState, SQLSTATE, sqlStateOf } from './sqlstate.js';
export { inTransaction } from './transaction.js';
