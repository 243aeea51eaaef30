import { type DesiredState, type StageRun, type TaskEvent, type TaskId } from '@sluice/contracts';

/** What has to reach the bus because of a decision that is committed. */
export type OutboxMessage =
  | { readonly kind: 'run'; readonly run: StageRun }
  | { readonly kind: 'desire'; readonly desired: DesiredState }
  | { readonly kind: 'task-event'; readonly event: TaskEvent }
  /** The change stream of the task can go. */
  | { readonly kind: 'delete-changes' }
  /** The task is gone: its change stream and its desired state, too. */
  | { readonly kind: 'forget' };

/** W3C trace context of the call that caused something: `traceparent`, `tracestate`. */
export type TraceHeaders = Readonly<Record<string, string>>;

export interface OutboxItem {
  /** Also the id by which the bus recognizes a second publication. */
  readonly id: string;
  readonly taskId: TaskId;
  readonly message: OutboxMessage;
  readonly trace: TraceHeaders;
}
