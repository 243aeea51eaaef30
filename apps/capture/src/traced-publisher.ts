import { type ChangePublisher } from '@sluice/messaging';
import { carrierOf, injectContext, isTracing, linkToActive, NEW_TRACE, withSpan } from '@sluice/telemetry';

type Publisher = Pick<ChangePublisher, 'publish'>;

/**
 * A span for each batch, from here to the bus's disk, whose context its headers carry to apply. Each is a trace of its
 * own that links to the run: a run lasts for months. Without a collector it is the publisher itself, as batches are many.
 */
export function tracedPublisher(publisher: Publisher, taskId: string): Publisher {
  if (!isTracing()) return publisher;
  const links = linkToActive();
  const attributes = { 'task.id': taskId };
  return {
    publish: (payload, headers) =>
      withSpan('capture.batch', { parent: NEW_TRACE, links, attributes }, () => {
        const traced: Record<string, string> = { ...headers };
        injectContext(carrierOf(traced));
        return publisher.publish(payload, traced);
      }),
  };
}
