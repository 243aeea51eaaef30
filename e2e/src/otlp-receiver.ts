import { createServer } from 'node:http';
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { bytesOf } from './protobuf.js';

export interface SpanReference {
  readonly traceId: string;
  readonly spanId: string;
}

export interface ReceivedSpan extends SpanReference {
  readonly service: string;
  readonly name: string;
  /** `''` of a root. */
  readonly parentSpanId: string;
  readonly links: readonly SpanReference[];
}

export interface TraceReceiver extends AsyncDisposable {
  readonly url: string;
  /** All that came so far. */
  readonly spans: readonly ReceivedSpan[];
}

/** A collector that takes spans by OTLP over HTTP and keeps them. */
export async function receiveTraces(): Promise<TraceReceiver> {
  const spans: ReceivedSpan[] = [];
  const failures: unknown[] = [];
  const server = createServer((request, response) => {
    buffer(request)
      .then((body) => {
        spans.push(...decodeSpans(body));
        response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
      })
      .catch((error: unknown) => {
        failures.push(error);
        response.writeHead(400).end();
      });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return {
    url: `http://127.0.0.1:${port}`,
    get spans() {
      if (failures.length > 0) throw failures[0];
      return spans;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** ExportTraceServiceRequest: https://github.com/open-telemetry/opentelemetry-proto, trace/v1/trace.proto */
function decodeSpans(request: Buffer): ReceivedSpan[] {
  return bytesOf(request, 1).flatMap((resourceSpans) => {
    const service = bytesOf(resourceSpans, 1).map(serviceName).join('');
    return bytesOf(resourceSpans, 2).flatMap((scopeSpans) =>
      bytesOf(scopeSpans, 2).map((span) => ({
        service,
        ...reference(span),
        parentSpanId: hex(bytesOf(span, 4)),
        name: text(bytesOf(span, 5)),
        links: bytesOf(span, 13).map(reference),
      })),
    );
  });
}

function serviceName(resource: Buffer): string {
  const attribute = bytesOf(resource, 1).find((pair) => text(bytesOf(pair, 1)) === 'service.name');
  return attribute === undefined ? '' : text(bytesOf(attribute, 2).flatMap((value) => bytesOf(value, 1)));
}

function reference(message: Buffer): SpanReference {
  return { traceId: hex(bytesOf(message, 1)), spanId: hex(bytesOf(message, 2)) };
}

const hex = (values: readonly Buffer[]): string => values[0]?.toString('hex') ?? '';
const text = (values: readonly Buffer[]): string => values[0]?.toString('utf8') ?? '';
