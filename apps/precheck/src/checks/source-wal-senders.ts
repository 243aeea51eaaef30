import { type Check, FOLLOWING } from '../check.js';
import { judgeFreePlaces } from './free-places.js';

export const sourceWalSenders: Check = {
  id: 'source-wal-senders',
  title: 'Source has a free WAL sender',
  onlyFor: FOLLOWING,
  run: async ({ sourceFacts }) =>
    judgeFreePlaces({
      setting: 'max_wal_senders',
      what: 'WAL senders',
      max: sourceFacts.maxWalSenders,
      used: sourceFacts.usedWalSenders,
    }),
};
