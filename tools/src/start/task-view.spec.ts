import { describe, expect, it } from '@jest/globals';
import {
  connectionTestLines,
  fullLoadLines,
  type FullLoadProgress,
  incrementalLines,
  precheckLines,
  RateMeter,
  RestartingCounter,
} from './task-view.js';

const LOADING: FullLoadProgress = {
  kind: 'full-load',
  phase: 'data',
  tablesTotal: 40,
  tablesDone: 31,
  chunksTotal: 60,
  chunksDone: 50,
  rowsDone: 212_345,
  bytesDone: 45_000_000,
  bytesTotal: 90_000_000,
  stepsTotal: 100,
  stepsDone: 25,
  bytesPerSecond: 12_300_000,
  secondsLeft: 4,
  currentTables: [],
};

describe('what is shown of a task', () => {
  it('shows tables, rows, bytes, rate and time left while rows are copied', () => {
    expect(fullLoadLines(LOADING)).toEqual([
      'full load: ████████████░░░░░░░░░░░░ 31/40 tables  212,345 rows  45.0 MB of 90.0 MB  12.3 MB/s  4.00 s left',
    ]);
  });

  it('does not show more than all when the estimate was too low', () => {
    expect(fullLoadLines({ ...LOADING, bytesTotal: 1, secondsLeft: null }).join()).toContain('45.0 MB of 45.0 MB');
  });

  it('counts indexes and constraints afterwards', () => {
    expect(fullLoadLines({ ...LOADING, phase: 'indexes' }).join()).toContain('25/100 indexes and constraints');
  });

  it('shows delay and throughput in the incremental phase', () => {
    const apply = {
      kind: 'apply',
      appliedLsn: '0/1',
      durableLsn: '0/1',
      delayMs: 320,
      lastTransaction: null,
      transactions: 1203,
      changes: 9000,
      conflicts: { ignored: 0, overwritten: 0 },
      receivedLsn: '0/1',
      receivedCommitTime: null,
      appliedCommitTime: null,
    } as const;
    const capture = {
      kind: 'capture',
      publishedLsn: '0/1',
      confirmedLsn: '0/1',
      retainedBytes: 2_000_000,
      transactions: 0,
      changes: 0,
      transactionLsn: '0/1',
      sourceTime: null,
      readThrough: null,
      clockOffsetMs: null,
      slot: null,
      heartbeats: 0,
    } as const;
    expect(incrementalLines({ apply, capture, transactionsPerSecond: 118.4 })).toEqual([
      'incremental: delay 0.32 s  118 transactions/s  1,203 transactions, 9,000 changes applied  2.0 MB of WAL kept',
    ]);
  });

  it('prints reason and fix below a check that did not pass', () => {
    const lines = precheckLines({
      passed: false,
      checks: [
        { id: 'a', title: 'Server version', outcome: 'passed', evidence: '17.2' },
        { id: 'b', title: 'wal_level', outcome: 'failed', evidence: 'replica', reason: 'no rows', fix: 'set it' },
      ],
    });
    expect(lines).toEqual([
      '  ✓ Server version: 17.2',
      '  ✗ wal_level: replica',
      '      why: no rows',
      '      fix: set it',
    ]);
  });

  it('prints code, cause and fix of a failed connection', () => {
    const error = { code: 'SLUICE-1005', detail: 'db1 as ada', remedy: 'correct it' };
    const lines = connectionTestLines({
      passed: false,
      steps: [{ side: 'source', step: 'connect', passed: false, error }],
    });
    expect(lines).toEqual(['  ✗ source: connection  SLUICE-1005', '      why: db1 as ada', '      fix: correct it']);
  });
});

describe('the rate meter', () => {
  it('keeps the last rate while nothing new was counted, and starts over when the counter does', () => {
    const meter = new RateMeter();
    expect(meter.read(100, 0)).toBeNull();
    expect(meter.read(300, 1000)).toBe(200);
    expect(meter.read(300, 1500)).toBe(200);
    expect(meter.read(0, 2000)).toBe(200);
    expect(meter.read(50, 3000)).toBe(50);
  });
});

it('sums up a counter over the runs of a stage', () => {
  const counter = new RestartingCounter();
  for (const count of [5, 9, 9, 0, 3]) counter.read(count);
  expect(counter.total).toBe(12);
});
