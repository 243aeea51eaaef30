import { type ObjectJudge } from '@sluice/model';
import { readVersionNum } from '@sluice/postgres-catalog';
import { type ClientBase } from 'pg';
import { readComments } from './attributes/comments.js';
import { readDefaultPrivileges } from './attributes/default-privileges.js';
import { readMemberPrivileges } from './attributes/member-privileges.js';
import { planOwners } from './attributes/owners.js';
import { readPrivileges } from './attributes/privileges.js';
import { isOfCreation, readDependencies } from './dependencies.js';
import { orderObjects } from './dependency-order.js';
import { type LeftOut, leaveOut } from './leave-out.js';
import { findMissingExtensions } from './missing-extensions.js';
import { readOutdated } from './outdated.js';
import { type StructurePlan } from './plan.js';
import { type Part, readObjects } from './read-objects.js';
import { type Source } from './schema-object.js';
import { readFoundObjects } from './select/object-names.js';
import { type ProposedClosure, proposeClosure } from './select/propose-closure.js';
import { selectWanted, type Wanted } from './select/select-wanted.js';
import { toStatements } from './statements.js';
import { findSuperuserObjects } from './superuser-objects.js';
import { type TargetFacts } from './target-facts.js';
import { readUnsupported } from './unsupported.js';

export interface StructureOptions {
  readonly target: TargetFacts;
  /** `existing`: owners and privileges of roles that the target has; `none`: everything belongs to the connecting role. */
  readonly roles: 'existing' | 'none';
  /** Which objects are wanted; default: all. */
  readonly judge?: ObjectJudge;
}

/**
 * Reads the structure of a database and plans its creation elsewhere. The session must be in a REPEATABLE READ, READ
 * ONLY transaction with an empty search_path, or names come out unqualified and the parts may not fit together.
 */
export async function readStructure(client: ClientBase, options: StructureOptions): Promise<StructurePlan> {
  const source = await openSource(client, options.target);
  const edges = await readDependencies(source);
  const all = await readObjects(source, options.target);
  const wanted = await selectWanted(source, { objects: all.objects, edges }, options.judge);
  const created = leaveOut(wanted.objects, edges, await readLeftOut(source, wanted, options.target));
  const ordered = orderObjects(created.objects, edges.filter(isOfCreation));
  const attributes = await readAttributes(source, { ...wanted, objects: created.objects }, options);
  return {
    ...toStatements({ ordered, objects: created.objects, attributes: attributes.objects }),
    unsupported: [...all.unsupported.filter(wanted.isWanted), ...created.unsupported, ...attributes.unsupported],
    missing: wanted.missing,
    brought: wanted.brought,
  };
}

/** What a selection needs besides, in the same kind of transaction. */
export async function readClosure(
  client: ClientBase,
  { judge, target }: { readonly judge: ObjectJudge; readonly target: TargetFacts },
): Promise<ProposedClosure> {
  const source = await openSource(client, target);
  const { objects } = await readObjects(source, target);
  const found = await readFoundObjects(source, judge);
  return proposeClosure(objects, { judge, found, edges: await readDependencies(source) });
}

async function openSource(client: ClientBase, target: TargetFacts): Promise<Source> {
  return { client, versionNum: await readVersionNum(client), targetVersionNum: target.versionNum };
}

async function readLeftOut(source: Source, { objects, isWanted }: Wanted, target: TargetFacts): Promise<LeftOut[]> {
  const unsupported = await readUnsupported(source);
  const keys = new Set(objects.map(({ key }) => key));
  return [
    // What nobody asked for still takes what needs it.
    ...unsupported.map((one) => ({ ...one, isUntold: !isWanted(one) })),
    ...(await readOutdated(source)).map((one) => ({ ...one, isUntold: !keys.has(one.key) })),
    ...findMissingExtensions(objects, target),
    ...findSuperuserObjects(objects, target),
  ];
}

async function readAttributes(source: Source, wanted: Wanted, { roles, target }: StructureOptions): Promise<Part> {
  const { objects, hasDefaultsIn } = wanted;
  const comments = await readComments(source, objects, target);
  if (roles === 'none') return { objects: comments, unsupported: [] };
  const parts = [
    planOwners(objects, target),
    await readPrivileges(source, objects, target),
    await readMemberPrivileges(source, wanted, target),
    await readDefaultPrivileges(source, target, hasDefaultsIn),
  ];
  return {
    objects: [...comments, ...parts.flatMap((part) => part.objects)],
    unsupported: parts.flatMap((part) => part.unsupported),
  };
}
