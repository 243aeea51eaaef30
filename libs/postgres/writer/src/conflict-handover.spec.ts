import { describe, expect, it } from '@jest/globals';
import { type Conflict } from '@sluice/contracts';
import { randomUUID } from 'node:crypto';
import { packConflicts } from './conflict-handover.js';

function conflict(fields: Partial<Conflict>): Conflict {
  return {
    conflictId: randomUUID(),
    taskId: randomUUID(),
    at: '2026-01-01T00:00:00.000000Z',
    commitLsn: '0/1',
    changeNumber: 0,
    table: { schema: 'public', name: 't' },
    operation: 'insert',
    kind: 'duplicate_key',
    constraint: 't_pkey',
    action: 'ignored',
    key: { id: '1' },
    sourceRow: { id: '1' },
    targetRows: [],
    ...fields,
  };
}

const wideRow = Object.fromEntries(Array.from({ length: 1_600 }, (_, index) => [`c${index}`, 'x'.repeat(1_000)]));

describe('packConflicts', () => {
  it.each<[string, Conflict[]]>([
    ['many small ones', Array.from({ length: 5_000 }, () => conflict({}))],
    ['long values', Array.from({ length: 30 }, () => conflict({ sourceRow: { v: '"ü'.repeat(40_000) } }))],
    ['wide rows', [conflict({ sourceRow: wideRow, targetRows: [wideRow, wideRow] })]],
    [
      'very many rows in the way',
      [conflict({ targetRows: Array.from({ length: 20_000 }, () => ({ id: 'x'.repeat(200) })) })],
    ],
  ])('keeps every message small and loses no conflict: %s', (_, conflicts) => {
    const messages = packConflicts(conflicts);
    for (const message of messages) expect(Buffer.byteLength(JSON.stringify(message))).toBeLessThanOrEqual(770 * 1024);
    expect(messages.flat().map(({ conflictId }) => conflictId)).toEqual(conflicts.map(({ conflictId }) => conflictId));
  });

  it('cuts a value at a whole character and says so', () => {
    const [[shown] = []] = packConflicts([conflict({ sourceRow: { v: 'ü'.repeat(40_000), w: 'short', n: null } })]);
    const value = shown?.sourceRow?.['v'] ?? '';
    expect(Buffer.byteLength(value)).toBeLessThanOrEqual(65_536);
    expect(value).toMatch(/^ü+…$/);
    expect(shown?.sourceRow).toMatchObject({ w: 'short', n: null });
  });
});
