import { describe, expect, it } from '@jest/globals';
import { SluiceError } from '@sluice/contracts';
import { EmbeddedError } from '@sluice/embedded';
import { classifyFailure, exitCodeOf, failureLines, reportLines } from './failure.js';
import { EXIT } from './usage.js';

const systemError = (code: string): Error => Object.assign(new Error(`${code}: no`), { code });

describe('what a failed start says', () => {
  it.each<[unknown, string, number]>([
    [new SluiceError('SLUICE-1005', { detail: 'db1' }), 'SLUICE-1005', EXIT.failed],
    [new EmbeddedError('disk-full', { detail: 'd', remedy: 'r' }), 'SLUICE-8002', EXIT.environment],
    [new EmbeddedError('install-failed', { detail: 'd', remedy: 'r' }), 'SLUICE-8004', EXIT.environment],
    [systemError('ENOSPC'), 'SLUICE-8002', EXIT.environment],
    [systemError('EADDRINUSE'), 'SLUICE-8003', EXIT.environment],
    [new Error('what?'), 'SLUICE-9001', EXIT.failed],
    ['text', 'SLUICE-9001', EXIT.failed],
  ])('gives %p the code %s', (error, code, exitCode) => {
    const failure = classifyFailure(error);
    expect(failure.code).toBe(code);
    expect(exitCodeOf(failure)).toBe(exitCode);
  });

  it('has what happened and the fix on lines of their own', () => {
    const error = new EmbeddedError('port-taken', { detail: 'PostgreSQL on port 1', remedy: 'stop the other one' });
    expect(failureLines(classifyFailure(error))).toEqual([
      '✗ SLUICE-8003 Port is taken',
      '  what: PostgreSQL on port 1',
      '  fix:  stop the other one',
    ]);
  });

  it('shows a report with a code that only a newer version knows', () => {
    expect(reportLines({ code: 'SLUICE-5999', detail: 'd', remedy: 'r' })[0]).toBe('✗ SLUICE-5999 Error');
  });
});
