import { type Check, FOLLOWING, passed, warning } from '../check.js';

/** Since then TRUNCATE is decoded. */
const TRUNCATE_SINCE_MAJOR = 11;

export const sourceTruncate: Check = {
  id: 'source-truncate',
  title: 'Truncations of the source can be followed',
  onlyFor: FOLLOWING,
  run: async ({ sourceFacts: { major } }) => {
    if (major >= TRUNCATE_SINCE_MAJOR) return passed(`PostgreSQL ${major} says which tables were truncated`);
    return warning({
      evidence: `PostgreSQL ${major} does not decode TRUNCATE`,
      reason:
        'The target keeps the rows of a table that is truncated on the source while the task runs, and nothing tells.',
      fix: '-- while the task runs, instead of TRUNCATE:\nDELETE FROM …;',
    });
  },
};
