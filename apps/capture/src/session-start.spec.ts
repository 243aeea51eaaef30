import { describe, expect, it } from '@jest/globals';
import { CHANGE_HEADERS } from '@sluice/contracts';
import { formatLsn, parseLsn } from '@sluice/model';
import { chooseStartLsn, type StartFrom } from './session-start.js';

const tail = (lsn: string): Record<string, string> => ({ [CHANGE_HEADERS.watermarkLsn]: lsn });

describe('chooseStartLsn', () => {
  it.each<{ where: string; from?: StartFrom; tailHeaders: Record<string, string> | null; expected: string }>([
    { where: 'behind the newest batch', tailHeaders: tail('0/50'), expected: '0/50' },
    { where: 'at the slot when the stream is empty', tailHeaders: null, expected: '0/10' },
    { where: 'at the slot when apply asked for it', from: 'slot', tailHeaders: tail('0/50'), expected: '0/10' },
    {
      where: 'at the checkpoint that apply named',
      from: { checkpointLsn: parseLsn('0/30') },
      tailHeaders: tail('0/50'),
      expected: '0/30',
    },
    {
      where: 'at the slot when the checkpoint is of another history',
      from: { checkpointLsn: parseLsn('0/FF') },
      tailHeaders: null,
      expected: '0/10',
    },
    {
      where: 'at the slot when the checkpoint is older than the slot',
      from: { checkpointLsn: parseLsn('0/9') },
      tailHeaders: null,
      expected: '0/10',
    },
    { where: 'at the slot when the batch is older than the slot', tailHeaders: tail('0/9'), expected: '0/10' },
    { where: 'at the slot when the batch is of another history', tailHeaders: tail('0/FF'), expected: '0/10' },
  ])('starts $where', ({ from = 'tail', tailHeaders, expected }) => {
    const facts = { from, tailHeaders, slotConfirmedLsn: parseLsn('0/10'), walEndLsn: parseLsn('0/60') };
    expect(formatLsn(chooseStartLsn(facts))).toBe(expected);
  });
});
