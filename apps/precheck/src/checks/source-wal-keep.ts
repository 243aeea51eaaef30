import { type Check, FOLLOWING, passed, warning } from '../check.js';

export const sourceWalKeep: Check = {
  id: 'source-wal-keep',
  title: 'Source keeps WAL for as long as the task needs it',
  onlyFor: FOLLOWING,
  run: async ({ sourceFacts: { maxSlotWalKeepSizeMb } }) => {
    if (maxSlotWalKeepSizeMb === null) return passed('this version never takes WAL away from a slot');
    if (maxSlotWalKeepSizeMb < 0) return passed('max_slot_wal_keep_size is -1');
    return warning({
      evidence: `max_slot_wal_keep_size is ${maxSlotWalKeepSizeMb} MB`,
      reason:
        'When the task is paused, or behind, by more WAL than that, its slot is invalidated and it needs a new full load.',
      fix: 'ALTER SYSTEM SET max_slot_wal_keep_size = -1;\nSELECT pg_reload_conf();\n-- or a size above the WAL of the longest pause, if the disk is small',
    });
  },
};
