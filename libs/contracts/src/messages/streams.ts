/** Streams and buckets of the bus; made by whoever starts first, with the same configuration by all. */
export const RUNS_STREAM = { name: 'SLUICE_RUNS', subjects: ['sluice.v1.run.>'], maxBytes: 256 * 1024 * 1024 } as const;
export const EVENTS_STREAM = {
  name: 'SLUICE_EVENTS',
  subjects: ['sluice.v1.event.>'],
  maxBytes: 256 * 1024 * 1024,
  /** A consumer that was away longer reads the state from the API instead. */
  maxAgeMs: 7 * 24 * 3_600_000,
} as const;
/** Key: task id; value: DesiredState as JSON. */
export const DESIRED_BUCKET = 'sluice_desired';
/** Bound of one task's change stream when nothing else is configured, bytes. */
export const CHANGES_MAX_BYTES_DEFAULT = 1024 * 1024 * 1024;
