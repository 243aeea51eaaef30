import { carrierOf, isTracing, linkFrom, NEW_TRACE, withSpan } from '@sluice/telemetry';
import { type LoopReader, type LoopTarget } from './apply-loop-options.js';

/** What a span can link to is bounded; of a large transaction's batches the newest are named. */
const LINKS_MAX = 100;

interface TracedSides {
  readonly reader: LoopReader;
  readonly target: LoopTarget;
}

/**
 * A span for each batch of transactions that is written, which links to the spans of capture whose batches it was read
 * from. Without a collector both sides are what they were, as batches are many.
 */
export function tracedApply({ reader, target }: TracedSides, taskId: string): TracedSides {
  if (!isTracing()) return { reader, target };
  let links: ReturnType<typeof linkFrom> = [];
  const noteRead = (message: Awaited<ReturnType<LoopReader['next']>>): void => {
    if (message) links = [...links, ...linkFrom(carrierOf({ ...message.headers }))].slice(-LINKS_MAX);
  };
  return {
    reader: {
      tryNext: () => {
        const message = reader.tryNext();
        noteRead(message ?? null);
        return message;
      },
      next: async (timeoutMs) => {
        const message = await reader.next(timeoutMs);
        noteRead(message);
        return message;
      },
      ackThrough: (sequence) => reader.ackThrough(sequence),
    },
    target: {
      get source() {
        return target.source;
      },
      recordSource: (source) => target.recordSource(source),
      get appliedLsn() {
        return target.appliedLsn;
      },
      get durableLsn() {
        return target.durableLsn;
      },
      applyTransactions: (transactions) => {
        const attributes = { 'task.id': taskId, transactions: transactions.length };
        const options = { parent: NEW_TRACE, links, attributes };
        links = [];
        // Nothing but the position of an idle source.
        if (transactions.length === 0) return target.applyTransactions(transactions);
        return withSpan('apply.batch', options, () => target.applyTransactions(transactions));
      },
      advance: (positionLsn) => target.advance(positionLsn),
      beginLarge: (mode) => target.beginLarge(mode),
      beginStreamed: (xid) => target.beginStreamed(xid),
      get backendPid() {
        return target.backendPid;
      },
      watchLocks: () => target.watchLocks(),
      refreshDurable: () => target.refreshDurable(),
    },
  };
}
