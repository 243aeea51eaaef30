import { z } from 'zod';
import { ErrorReport, Side } from '../primitives.js';

/** One step of a connection test, in order: the first that failed tells why the later ones did not run. */
export const ConnectionStep = z.object({
  side: Side,
  step: z.enum(['connect', 'replication']),
  passed: z.boolean(),
  error: ErrorReport.optional(),
  /** Facts for people: server version, TLS version and cipher, round trip, clock skew. */
  facts: z.record(z.string(), z.string()).optional(),
});
export type ConnectionStep = z.infer<typeof ConnectionStep>;

export const ConnectionTestResult = z.object({ passed: z.boolean(), steps: z.array(ConnectionStep) });
export type ConnectionTestResult = z.infer<typeof ConnectionTestResult>;

export const CheckOutcome = z.enum(['passed', 'warning', 'failed', 'blocked']);
export type CheckOutcome = z.infer<typeof CheckOutcome>;

export const CheckReport = z.object({
  /** Stable name, e.g. `source-wal-level`. */
  id: z.string(),
  title: z.string(),
  outcome: CheckOutcome,
  /** What was seen. */
  evidence: z.string(),
  /** Why that is a problem; absent when passed. */
  reason: z.string().optional(),
  /** What to do, with SQL to paste where there is one; absent when passed. */
  fix: z.string().optional(),
});
export type CheckReport = z.infer<typeof CheckReport>;

export const PrecheckResult = z.object({ passed: z.boolean(), checks: z.array(CheckReport) });
export type PrecheckResult = z.infer<typeof PrecheckResult>;
