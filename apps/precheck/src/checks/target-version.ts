import { type Check, failed, passed } from '../check.js';
import { NEWEST_MAJOR } from './source-version.js';

export const targetVersion: Check = {
  id: 'target-version',
  title: 'Target is at least as new as the source',
  run: async ({ sourceFacts, targetFacts }) => {
    const evidence = `source PostgreSQL ${sourceFacts.major}, target PostgreSQL ${targetFacts.major}`;
    if (targetFacts.major < sourceFacts.major) {
      return failed({
        evidence,
        reason: 'An older server does not know everything that the structure of a newer one can hold.',
        fix: `Choose a target of PostgreSQL ${sourceFacts.major} or later.`,
      });
    }
    if (targetFacts.major > NEWEST_MAJOR) {
      return failed({
        evidence,
        reason: `Targets up to PostgreSQL ${NEWEST_MAJOR} are supported.`,
        fix: 'Use a release that supports the version of the target.',
      });
    }
    return passed(evidence);
  },
};
