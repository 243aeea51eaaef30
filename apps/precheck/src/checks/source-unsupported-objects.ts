import { type Check, listSome, passed, warning } from '../check.js';

export const sourceUnsupportedObjects: Check = {
  id: 'source-unsupported-objects',
  title: 'Everything that the source holds can be transferred',
  run: async ({ structure }) => {
    const { unsupported } = await structure();
    if (unsupported.length === 0) return passed('nothing is left out');
    const reasons = new Set(unsupported.map(({ kind, reason }) => `${kind}: ${reason}`));
    return warning({
      evidence: `${unsupported.length} left out: ${listSome(unsupported.map(({ identity }) => identity))}`,
      reason: `The target will not have them. ${listSome([...reasons])}.`,
      fix: 'Create by hand what the target needs of them; otherwise nothing has to be done.',
    });
  },
};
