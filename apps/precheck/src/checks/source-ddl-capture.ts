import { ddlCaptureScript, ddlCaptureState } from '@sluice/postgres-ddl';
import { type Check, FOLLOWING, passed, warning } from '../check.js';

/** The task's own, and one for the moment in which a new table joins. */
const SLOTS_NEEDED = 2;

export const sourceDdlCapture: Check = {
  id: 'source-ddl-capture',
  title: 'Source lets DDL be captured',
  onlyFor: FOLLOWING,
  run: async ({ source, sourceFacts, ddlCapture }) => {
    if (!ddlCapture) return passed('DDL is not synchronized');
    const { isComplete, mayInstall, missing } = await ddlCaptureState(source, ddlCapture);
    if (!isComplete && !mayInstall) {
      return warning({
        evidence: `${sourceFacts.currentUser} may not create event triggers; missing: ${missing.join(', ')}`,
        reason: 'Without them only added columns are followed, and a new table stops the task.',
        fix: `-- as a superuser on the source\n${ddlCaptureScript(ddlCapture, { versionNum: sourceFacts.versionNum, account: sourceFacts.currentUser })}`,
      });
    }
    const free = sourceFacts.maxReplicationSlots - sourceFacts.usedReplicationSlots;
    if (free < SLOTS_NEEDED) {
      return warning({
        evidence: `${free} of ${sourceFacts.maxReplicationSlots} replication slots are free`,
        reason: 'A new table needs a second slot for the moment in which it joins.',
        fix: `ALTER SYSTEM SET max_replication_slots = ${sourceFacts.usedReplicationSlots + SLOTS_NEEDED};\n-- then restart the source`,
      });
    }
    return passed(isComplete ? 'event triggers are installed' : `${sourceFacts.currentUser} may create event triggers`);
  },
};
