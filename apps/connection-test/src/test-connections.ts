import { type ConnectionStep, type ConnectionTestResult, SluiceError } from '@sluice/contracts';
import {
  classifyConnectError,
  type Client,
  connect,
  type ConnectOptions,
  describeEndpoint,
  type Endpoint,
} from '@sluice/postgres-client';
import { probeServer } from './probe-server.js';

export interface TestConnectionsOptions {
  /** Whether changes will be read from the source; default true. */
  readonly needsReplication?: boolean;
  /** Time for one step, connecting and asking together; default 10 000. */
  readonly stepTimeoutMs?: number;
}

const STEP_TIMEOUT_MS = 10_000;
const APPLICATION_NAME = 'connection test';

/**
 * Tries what a task needs: a session on both sides and, for changes, a replication connection on the source. Both sides are tried at
 * the same time. Every step is tried once: repeating a refused login can lock the account.
 */
export async function testConnections(
  endpoints: { readonly source: Endpoint; readonly target: Endpoint },
  options: TestConnectionsOptions = {},
): Promise<ConnectionTestResult> {
  const timeoutMs = options.stepTimeoutMs ?? STEP_TIMEOUT_MS;
  const sides = await Promise.all([
    testSource(endpoints.source, { timeoutMs, needsReplication: options.needsReplication ?? true }),
    testTarget(endpoints.target, timeoutMs),
  ]);
  const steps = sides.flat();
  return { passed: steps.every(({ passed }) => passed), steps };
}

async function testSource(
  endpoint: Endpoint,
  { timeoutMs, needsReplication }: { readonly timeoutMs: number; readonly needsReplication: boolean },
): Promise<ConnectionStep[]> {
  const connected = await testSession(endpoint, timeoutMs);
  const first: ConnectionStep = { side: 'source', step: 'connect', ...connected };
  if (!connected.passed || !needsReplication) return [first];
  return [first, { side: 'source', step: 'replication', ...(await testReplication(endpoint, timeoutMs)) }];
}

async function testTarget(endpoint: Endpoint, timeoutMs: number): Promise<ConnectionStep[]> {
  return [{ side: 'target', step: 'connect', ...(await testSession(endpoint, timeoutMs)) }];
}

type StepOutcome = Omit<ConnectionStep, 'side' | 'step'>;

function testSession(endpoint: Endpoint, timeoutMs: number): Promise<StepOutcome> {
  return runStep(endpoint, { timeoutMs, ask: probeServer });
}

function testReplication(endpoint: Endpoint, timeoutMs: number): Promise<StepOutcome> {
  return runStep(endpoint, { timeoutMs, replication: 'database', ask: identifySystem });
}

interface Step {
  readonly timeoutMs: number;
  readonly replication?: ConnectOptions['replication'];
  readonly ask: (client: Client) => Promise<Record<string, string>>;
}

async function runStep(endpoint: Endpoint, step: Step): Promise<StepOutcome> {
  try {
    return { passed: true, facts: await withinDeadline(endpoint, step) };
  } catch (error) {
    const { code, detail, remedy } = classifyConnectError(error, endpoint);
    return { passed: false, error: { code, detail, remedy } };
  }
}

/** The deadline also ends the wait for a server that lets us in and then falls silent. */
async function withinDeadline(endpoint: Endpoint, step: Step): Promise<Record<string, string>> {
  const { promise: expired, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(
      new SluiceError('SLUICE-1002', {
        detail: `${describeEndpoint(endpoint)} as ${endpoint.user}: no answer within ${step.timeoutMs} ms`,
      }),
    );
  }, step.timeoutMs);
  const work = connectAndAsk(endpoint, step);
  // When the deadline has won, nobody else looks at how the work ends.
  work.catch(() => undefined);
  try {
    return await Promise.race([work, expired]);
  } finally {
    clearTimeout(timer);
  }
}

async function connectAndAsk(endpoint: Endpoint, step: Step): Promise<Record<string, string>> {
  await using client = await connect(endpoint, {
    applicationName: APPLICATION_NAME,
    connectTimeoutMs: step.timeoutMs,
    settings: { statement_timeout: String(step.timeoutMs) },
    ...(step.replication && { replication: step.replication }),
  });
  return await step.ask(client);
}

/** https://www.postgresql.org/docs/current/protocol-replication.html#PROTOCOL-REPLICATION-IDENTIFY-SYSTEM */
async function identifySystem(client: Client): Promise<Record<string, string>> {
  const { rows } = await client.query<{ systemid: string; timeline: number; xlogpos: string }>('IDENTIFY_SYSTEM');
  const [system] = rows;
  return {
    systemIdentifier: system?.systemid ?? 'unknown',
    timeline: String(system?.timeline ?? 'unknown'),
    walLsn: system?.xlogpos ?? 'unknown',
  };
}
