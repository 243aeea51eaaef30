import { type BenchServers } from './bench-servers.js';
import { type DebianServer } from './debian-server.js';
import { type System, type SystemResult } from './measurement.js';
import { type SluiceStack } from './sluice-stack.js';

/** What a case is made with. */
export interface BenchContext {
  readonly servers: BenchServers;
  readonly sluice: SluiceStack;
  /** Multiplies the work. */
  readonly scale: number;
  readonly report: (line: string) => void;
  /** Temporary; gone at the end. */
  readonly directory: string;
  /** Whatever the case starts is ended with these. */
  readonly resources: AsyncDisposableStack;
  /** Debian's server with pglogical, if it is installed. */
  readonly debian: DebianServer | null;
}

export interface BenchCase {
  /** More settings of the servers. */
  readonly settings?: Readonly<Record<string, string>>;
  /** pglogical takes part. Then all systems run on Debian's server if it is there, so that ratios are fair. */
  readonly withPglogical?: boolean;
  /** Makes the base, and what is to be done. */
  systems(context: BenchContext): Promise<System[]>;
  /** What the results say that no single number does. */
  summarize?(results: readonly SystemResult[]): string[];
}
