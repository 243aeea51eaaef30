import childProcess from 'node:child_process';

const KEY = Symbol.for('sluice.testing.worker-state');

/**
 * State that lives as long as the Jest worker process. Jest gives every test file globals and modules of its own;
 * Node's built-in modules are the only objects that all files of a worker share. Put plain data here, nothing that
 * has code: code of a file that has ended must not run.
 */
export function workerState(): Map<string, unknown> {
  const existing: unknown = Reflect.get(childProcess, KEY);
  if (isMap(existing)) return existing;
  const created = new Map<string, unknown>();
  Reflect.set(childProcess, KEY, created);
  return created;
}

/** `instanceof` fails on a Map that another test file made: each has a `Map` of its own. */
function isMap(value: unknown): value is Map<string, unknown> {
  return Object.prototype.toString.call(value) === '[object Map]';
}
