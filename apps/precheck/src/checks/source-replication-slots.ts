import { type Check, FOLLOWING } from '../check.js';
import { judgeFreePlaces } from './free-places.js';

export const sourceReplicationSlots: Check = {
  id: 'source-replication-slots',
  title: 'Source has a free replication slot',
  onlyFor: FOLLOWING,
  run: async ({ sourceFacts }) =>
    judgeFreePlaces({
      setting: 'max_replication_slots',
      what: 'replication slots',
      max: sourceFacts.maxReplicationSlots,
      used: sourceFacts.usedReplicationSlots,
    }),
};
