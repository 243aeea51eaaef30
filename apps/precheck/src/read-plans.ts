import { type UserOptions } from '@sluice/contracts';
import { type ObjectJudge } from '@sluice/model';
import {
  planRoles,
  readStructure,
  readTargetFacts,
  type RolePlan,
  type StructurePlan,
  withRoles,
} from '@sluice/postgres-schema';
import { type Lane } from './lanes.js';

/** What a load would create, as several checks look at it. */
export interface Plans {
  /** `null` when the task brings no roles. */
  readonly roles: (lane: Lane) => Promise<RolePlan | null>;
  readonly structure: (lane: Lane) => Promise<StructurePlan>;
}

/** Each is read once, by the lane of the check that asks first; the others wait for it. */
export function readPlansOnce({ users, judge }: { readonly users: UserOptions; readonly judge: ObjectJudge }): Plans {
  const roles = once((lane) => (users.roles.length === 0 ? Promise.resolve(null) : planRoles(lane, users)));
  const structure = once(async (lane) => {
    const facts = await readTargetFacts(lane.target);
    const created = (await roles(lane))?.roles ?? [];
    const names = created.map(({ name }) => name);
    return readStructure(lane.source, { target: withRoles(facts, names, users), roles: 'existing', judge });
  });
  return { roles, structure };
}

function once<T>(read: (lane: Lane) => Promise<T>): (lane: Lane) => Promise<T> {
  let result: Promise<T> | null = null;
  return (lane) => (result ??= read(lane));
}
