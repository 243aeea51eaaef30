import { type PostgresMajor } from '@sluice/embedded';
import { type Client } from '@sluice/postgres-client';

/** What the traffic of a case gets: sessions on the source whose `search_path` is the schema of the case. */
export interface TrafficSessions {
  open(): Promise<Client>;
}

/** One statement of what must be equal on both sides afterwards, whatever happens on the source. */
export interface ConformanceCase {
  /** Names the test and the schema that all its tables lie in; at most 63 bytes. */
  readonly name: string;
  /** Majors of the source that can do it; default: all. */
  readonly since?: PostgresMajor;
  readonly until?: PostgresMajor;
  /** Types of extensions: the embedded servers before 13 cannot list those that they have. */
  readonly usesExtensions?: boolean;
  /** Structure and the rows that are there before the load; runs in the schema of the case. */
  readonly setup: string;
  /** Once the task is incremental. A text is one transaction, or several if it says BEGIN and COMMIT itself. */
  readonly traffic: readonly string[] | ((sessions: TrafficSessions) => Promise<void>);
  /** Further schemas that it makes, whose rows count for it. */
  readonly schemas?: readonly string[];
  /** Something in it can be applied only when it is sent as a whole, after its commit. */
  readonly needsWhole?: boolean;
  /** Runs alone, after the traffic of all others. */
  readonly isLast?: boolean;
}
