import { patternOf } from '@sluice/contracts';
import { type MissingObject } from '@sluice/postgres-schema';
import { type Check, failed, listSome, passed, statements } from '../check.js';

export const selectionClosed: Check = {
  id: 'selection-closed',
  title: 'Selected objects need no table or view that is not selected',
  run: async ({ judge, structure }) => {
    const { missing, brought } = await structure();
    if (missing.length > 0) {
      const named = missing.map(({ schema, name, neededBy }) => `${schema}.${name} (for ${neededBy})`);
      return failed({
        evidence: `${missing.length} missing: ${listSome(named)}`,
        reason:
          'What refers to them cannot be created without them, and rows that were not selected are never copied along.',
        fix: statements([
          judge.level === 'table'
            ? '-- add to objects:'
            : '-- add to include, and take out of exclude what leaves them out:',
          ...missing.map((object) => (judge.level === 'table' ? listing(object) : patternOf(object))),
          '-- or take out of the selection what needs them',
        ]),
      });
    }
    if (brought.length === 0) return passed('nothing else is needed');
    return passed(`come along: ${listSome(brought.map(({ kind, schema, name }) => `${kind} ${schema}.${name}`))}`);
  },
};

function listing({ kind, schema, name }: MissingObject): string {
  return JSON.stringify({ kind, schema, name });
}
