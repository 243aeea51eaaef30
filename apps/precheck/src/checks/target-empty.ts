import { readTakenLargeObjects } from '@sluice/postgres-catalog';
import { findCollisions } from '@sluice/postgres-schema';
import { type Check, failed, listSome, passed } from '../check.js';

export const targetEmpty: Check = {
  id: 'target-empty',
  title: 'No object of the source exists on the target already',
  dependsOn: ['not-same-database', 'target-version'],
  onlyFor: ['full_and_incremental', 'full'],
  run: async ({ source, target, structure, judge }) => {
    const largeObjects = judge.level === 'database' ? await readTakenLargeObjects(source, target) : [];
    const collisions = [
      ...(await findCollisions(target, await structure())),
      ...largeObjects.map((oid) => `large object ${oid}`),
    ];
    if (collisions.length === 0) return passed('no name is taken');
    return failed({
      evidence: `${collisions.length} exist: ${listSome(collisions)}`,
      reason: 'A full load creates the structure; it does not overwrite what somebody else may need.',
      fix: 'Choose an empty target database, or drop or rename these objects on the target.',
    });
  },
};
