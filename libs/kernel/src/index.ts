export { AssertionError, assert, present, unreachable } from './assert.js';
export { type BackoffOptions, backoffDelayMs } from './backoff.js';
export { type Brand } from './brand.js';
export { ByteQueue } from './byte-queue.js';
export { abortReason, delay, isAbort } from './delay.js';
export { type Deferred, deferred } from './deferred.js';
export { Secret } from './secret.js';
