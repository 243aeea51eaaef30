import { type PostgresServer } from '@sluice/embedded';

/** What waits in the slot when a run begins. */
export interface Workload {
  /** In words, with its size. */
  readonly description: string;
  /** Makes tables and rows; every call makes the same. */
  createBase(server: PostgresServer, database: string): Promise<void>;
  /** Commits the work. */
  write(server: PostgresServer, database: string): Promise<void>;
}
