/**
 * Places where a service ends itself as by kill -9 when it is told to: `SLUICE_KILL_POINT=<name>[:n]`, at the n-th
 * passage. The services call `killPoint(name)` of `@sluice/service-runtime`; tests only choose the place.
 */
export const KILL_POINTS = [
  'full-load-after-slot',
  'full-load-after-structure',
  'copy-before-commit',
  'copy-after-commit',
  'build-before-commit',
  'capture-before-publish',
  'capture-after-publish-ack',
  'capture-before-status-update',
  'apply-before-commit',
  'apply-after-commit',
  'apply-before-ack',
  'adoption-before-commit',
  'adoption-after-commit',
] as const;

export type KillPointName = (typeof KILL_POINTS)[number];

/** Environment variables for the service that shall die there. */
export function killPointEnvironment(name: KillPointName, passage = 1): Readonly<Record<string, string>> {
  return { SLUICE_KILL_POINT: `${name}:${passage}` };
}
