import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { waitFor } from '@sluice/testing';
import { untilCaughtUp } from '../../src/catch-up.js';
import { type Cluster, startCluster } from '../../src/cluster.js';
import { MIXED } from '../../src/mixed-schema.js';
import { type ReceivedSpan, receiveTraces, type TraceReceiver } from '../../src/otlp-receiver.js';

const START = /^POST\b/;
/** The stages of a task's life in their order, and the services that work on them. */
const STAGES = [
  { name: 'run connection-test', service: 'connection-test' },
  { name: 'run precheck', service: 'precheck' },
  { name: 'run full-load', service: 'full-load' },
  { name: 'run capture', service: 'capture' },
  { name: 'run apply', service: 'apply' },
];

let receiver: TraceReceiver;
let cluster: Cluster;

beforeAll(async () => {
  receiver = await receiveTraces();
  cluster = await startCluster({
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: '200', OTEL_METRICS_EXPORTER: 'none' },
  });
});
afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

it('shows the call that starts a task and everything that follows from it as one trace', async () => {
  const source = await cluster.sourceDatabase(MIXED);
  const target = await cluster.targetDatabase();
  const taskId = await cluster.createAndStart({ source, target });
  await cluster.untilState(taskId, 'incremental');
  await untilCaughtUp(source, target);
  // A span is sent when it is over; those of capture and apply are as long as the runs.
  await cluster.api.act(taskId, 'end');
  await cluster.untilState(taskId, 'ended');

  const [start, capture] = await waitFor('the spans of the start and of the capture run', () => {
    const captureRun = receiver.spans.find(({ name }) => name === 'run capture');
    const call = receiver.spans.find(
      ({ name, traceId, service }) =>
        START.test(name) && service === 'task-management' && traceId === captureRun?.traceId,
    );
    return call && captureRun && ([call, captureRun] as const);
  });
  const { traceId } = start;
  expect(start.parentSpanId).toBe('');
  for (const { name, service } of STAGES) {
    const run = await waitFor(name, () => inTrace(traceId).find((span) => span.name === name));
    expect(run.service).toBe(service);
    expect(ancestors(run)).toContain(start.spanId);
  }
  const load = inTrace(traceId).find(({ name }) => name === 'run full-load');
  const copies = await waitFor('several copies', () => {
    const found = inTrace(traceId).filter(({ name }) => name === 'run copy');
    return found.length > 1 && found;
  });
  for (const copy of copies) expect(ancestors(copy)).toContain(load?.spanId);
  const snapshot = await waitFor('the snapshot', () => inTrace(traceId).find(({ name }) => name === 'run snapshot'));
  expect(ancestors(snapshot)).toContain(load?.spanId);
  await expectLinkedBatches(capture);
});

async function expectLinkedBatches(capture: ReceivedSpan): Promise<void> {
  const applied = await waitFor('an applied batch', () => receiver.spans.find(({ name }) => name === 'apply.batch'));
  expect(applied.links.length).toBeGreaterThan(0);
  for (const link of applied.links) {
    const captured = await waitFor('the batch that was applied', () =>
      receiver.spans.find(({ spanId }) => spanId === link.spanId),
    );
    expect(captured).toMatchObject({ name: 'capture.batch', service: 'capture', traceId: link.traceId });
    expect(captured.links).toEqual([{ traceId: capture.traceId, spanId: capture.spanId }]);
  }
}

function inTrace(traceId: string): ReceivedSpan[] {
  return receiver.spans.filter((span) => span.traceId === traceId);
}

/** Span ids from the parent up to the root. */
function ancestors(span: ReceivedSpan): string[] {
  const ids: string[] = [];
  const byId = new Map(inTrace(span.traceId).map((each) => [each.spanId, each]));
  for (let parentId = span.parentSpanId; parentId !== ''; parentId = byId.get(parentId)?.parentSpanId ?? '') {
    ids.push(parentId);
  }
  return ids;
}
