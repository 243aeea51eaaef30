import { describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import {
  CaptureRun,
  type ErrorCode,
  SluiceError,
  type StageResult,
  DEFAULT_INCREMENTAL_OPTIONS,
  DEFAULT_USER_OPTIONS,
  EVERYTHING,
} from '@sluice/contracts';
import { createLogger } from '@sluice/telemetry';
import {
  runWithRecovery,
  type RunWithRecoveryOptions,
  type WorkAttempt,
  type WorkOutcome,
} from './run-with-recovery.js';
import { type StageReporter } from './stage-reporter.js';

const RESULT: StageResult = { stage: 'capture', publishedLsn: '0/1' };
const SUCCEEDED: WorkOutcome = { kind: 'succeeded', result: RESULT };

const taskId = randomUUID();
const RUN = CaptureRun.parse({
  version: 1,
  runId: randomUUID(),
  epoch: 1,
  stage: 'capture',
  task: {
    taskId,
    name: 'spec',
    syncType: 'full',
    slotName: 's',
    publicationName: 's',
    incremental: DEFAULT_INCREMENTAL_OPTIONS,
    objects: EVERYTHING,
    ddlDecisions: [],
    users: DEFAULT_USER_OPTIONS,
  },
});

function failure(code: ErrorCode): SluiceError {
  return new SluiceError(code, { detail: 'spec' });
}

/** Writes down what is reported. */
class RecordingReporter implements StageReporter {
  readonly said: string[] = [];
  started = async (): Promise<void> => void this.said.push('started');
  running = async (): Promise<void> => void this.said.push('running');
  recovering = async (error: SluiceError, attempt: number): Promise<void> =>
    void this.said.push(`recovering ${error.code} ${attempt}`);
  succeeded = async (): Promise<void> => void this.said.push('succeeded');
  failed = async (error: SluiceError): Promise<void> => void this.said.push(`failed ${error.code}`);
  stopped = async (): Promise<void> => void this.said.push('stopped');
  progress = (): void => undefined;
}

interface Scenario extends Partial<RunWithRecoveryOptions> {
  readonly work: (attempt: WorkAttempt) => Promise<WorkOutcome>;
}

async function play(
  scenario: Scenario,
  signal = new AbortController().signal,
): Promise<{ said: string[]; pauses: number[] }> {
  const reporter = new RecordingReporter();
  const pauses: number[] = [];
  await runWithRecovery({
    run: RUN,
    reporter,
    context: { signal, log: createLogger({ service: 'spec', level: 'silent' }) },
    pause: async (ms) => void pauses.push(ms),
    ...scenario,
  });
  return { said: reporter.said, pauses };
}

describe('runWithRecovery', () => {
  it('reports started, running and the end', async () => {
    const { said } = await play({
      work: async ({ onHealthy }) => {
        onHealthy();
        onHealthy();
        return SUCCEEDED;
      },
    });
    expect(said).toEqual(['started', 'running', 'succeeded']);
  });

  it('says so when the cause becomes another one', async () => {
    const causes: ErrorCode[] = ['SLUICE-1012', 'SLUICE-1012', 'SLUICE-5009', 'SLUICE-5009'];
    const { said } = await play({
      work: async () => {
        const cause = causes.shift();
        if (cause) throw failure(cause);
        return SUCCEEDED;
      },
    });
    expect(said).toEqual(['started', 'recovering SLUICE-1012 1', 'recovering SLUICE-5009 3', 'succeeded']);
  });

  it('retries a lost connection for ever, says recovering once per spell, with growing capped pauses', async () => {
    let attempts = 0;
    const { said, pauses } = await play({
      work: async ({ onHealthy }) => {
        attempts += 1;
        if (attempts <= 20) throw failure('SLUICE-1012');
        onHealthy();
        if (attempts <= 21) throw failure('SLUICE-1003');
        return SUCCEEDED;
      },
    });
    expect(said).toEqual([
      'started',
      'recovering SLUICE-1012 1',
      'running',
      'recovering SLUICE-1003 1',
      'running',
      'succeeded',
    ]);
    expect(pauses[0]).toBeLessThanOrEqual(500);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(15_000);
    expect(pauses[19]).toBeGreaterThanOrEqual(7_500);
    expect(pauses[20]).toBeLessThanOrEqual(500);
  });

  it('retries what is not expected to heal three times', async () => {
    let attempts = 0;
    const { said } = await play({
      work: async () => {
        attempts += 1;
        throw new TypeError('a bug');
      },
    });
    expect(attempts).toBe(4);
    expect(said).toEqual(['started', 'recovering SLUICE-9001 1', 'failed SLUICE-9001']);
  });

  it('never retries what a person must repair', async () => {
    const { said, pauses } = await play({ work: () => Promise.reject(failure('SLUICE-1005')) });
    expect(said).toEqual(['started', 'failed SLUICE-1005']);
    expect(pauses).toEqual([]);
  });

  it('classifies as it is told', async () => {
    const { said } = await play({
      work: () => Promise.reject(new Error('x')),
      classify: () => failure('SLUICE-4001'),
    });
    expect(said).toEqual(['started', 'failed SLUICE-4001']);
  });

  it.each<{ outcome: WorkOutcome; last: string | undefined }>([
    { outcome: { kind: 'stopped' }, last: 'stopped' },
    { outcome: { kind: 'failed', error: failure('SLUICE-2001') }, last: 'failed SLUICE-2001' },
    { outcome: { kind: 'done' }, last: 'started' },
  ])('reports $outcome.kind as $last', async ({ outcome, last }) => {
    expect((await play({ work: async () => outcome })).said.at(-1)).toBe(last);
  });

  it('says nothing about the life of an item, but its failure', async () => {
    const failing =
      (code: ErrorCode) =>
      async ({ onHealthy }: WorkAttempt): Promise<WorkOutcome> => {
        onHealthy();
        throw failure(code);
      };
    const { said } = await play({ work: failing('SLUICE-3006'), reportsLife: false });
    expect(said).toEqual(['failed SLUICE-3006']);
    expect((await play({ work: async () => ({ kind: 'done' }), reportsLife: false })).said).toEqual([]);
  });

  it('says nothing more and rejects when the run is taken away', async () => {
    const taken = new AbortController();
    const reporter = new RecordingReporter();
    const over = play(
      {
        reporter,
        work: async () => {
          taken.abort(new Error('lost'));
          throw failure('SLUICE-1012');
        },
      },
      taken.signal,
    );
    await expect(over).rejects.toThrow('lost');
    expect(reporter.said).toEqual(['started']);
  });
});
