import { type Check, failed, passed } from '../check.js';

const OLDEST_MAJOR = 10;
/** The newest one that the tests run on. */
export const NEWEST_MAJOR = 18;

export const sourceVersion: Check = {
  id: 'source-version',
  title: 'Source has a supported version',
  run: async ({ sourceFacts: { major } }) => {
    const evidence = `PostgreSQL ${major}`;
    if (major >= OLDEST_MAJOR && major <= NEWEST_MAJOR) return passed(evidence);
    return failed({
      evidence,
      reason: `PostgreSQL ${OLDEST_MAJOR} to ${NEWEST_MAJOR} are supported as source.`,
      fix: 'Upgrade the source, or use a release that supports its version.',
    });
  },
};
