/** What JetStream says about a delivery in the subject that acks go to. */
export interface Delivery {
  readonly streamSequence: number;
  /** 1 for the first delivery. */
  readonly deliveryCount: number;
  /** Messages of the stream that are not delivered yet. */
  readonly pendingCount: number;
}

/**
 * `$JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>`, or with domain and account hash
 * before the stream: https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-15.md
 */
export function parseAckSubject(subject: string): Delivery {
  const tokens = subject.split('.');
  const stream = tokens.length > 9 ? 4 : 2;
  return {
    deliveryCount: Number(tokens[stream + 2]),
    streamSequence: Number(tokens[stream + 3]),
    pendingCount: Number(tokens[stream + 6]),
  };
}
