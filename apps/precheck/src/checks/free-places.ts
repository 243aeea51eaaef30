import { failed, type Finding, passed, warning } from '../check.js';

export interface Places {
  /** The setting that limits them. */
  readonly setting: string;
  readonly what: string;
  readonly max: number;
  readonly used: number;
}

/** A task keeps one for as long as it lives. */
const NEEDED = 1;
/** A second one lets a lost snapshot be made anew while the first one is still held. */
const RECOMMENDED = 2;

/** Judges how many slots or WAL senders are left on the source. */
export function judgeFreePlaces({ setting, what, max, used }: Places): Finding {
  const free = max - used;
  const evidence = `${used} of ${max} ${what} are in use`;
  if (free >= RECOMMENDED) return passed(evidence);
  const problem = {
    evidence,
    reason: `A task needs ${NEEDED}, and ${RECOMMENDED} for a moment when a full load has to start over.`,
    fix: `ALTER SYSTEM SET ${setting} = ${used + RECOMMENDED};\n-- then restart the source`,
  };
  return free >= NEEDED ? warning(problem) : failed(problem);
}
