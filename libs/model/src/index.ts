export { formatLsn, type Lsn, lsnFromBigInt, type LsnText, maxLsn, parseLsn, ZERO_LSN } from './lsn.js';
