import { type UnsupportedObject } from '@sluice/postgres-schema';
import { type Check, failed, listSome, passed, warning } from '../check.js';

export const sourceUnsupportedObjects: Check = {
  id: 'source-unsupported-objects',
  title: 'Everything that the source holds can be transferred',
  run: async ({ structure }) => {
    const { unsupported } = await structure();
    if (unsupported.length === 0) return passed('nothing is left out');
    const tables = unsupported.filter(({ kind }) => kind === 'table');
    if (tables.length > 0) {
      return failed({
        evidence: `${tables.length} tables cannot be created: ${listSome(tables.map(({ identity }) => identity))}`,
        reason: `Their rows would have no place on the target. ${reasonsOf(tables)}`,
        fix: 'Give the target what they need, or change or drop these tables on the source.',
      });
    }
    return warning({
      evidence: `${unsupported.length} left out: ${listSome(unsupported.map(({ identity }) => identity))}`,
      reason: `The target will not have them. ${reasonsOf(unsupported)}`,
      fix: 'Create by hand what the target needs of them; otherwise nothing has to be done.',
    });
  },
};

function reasonsOf(objects: readonly UnsupportedObject[]): string {
  return `${listSome([...new Set(objects.map(({ kind, reason }) => `${kind}: ${reason}`))])}.`;
}
