import { type ObjectSelection, type SyncType, type UserOptions } from '@sluice/contracts';
import { type ObjectJudge } from '@sluice/model';
import { type ServerFacts } from '@sluice/postgres-catalog';
import { type Client } from '@sluice/postgres-client';
import { type DdlCaptureOptions } from '@sluice/postgres-ddl';
import { type RolePlan, type StructurePlan } from '@sluice/postgres-schema';

/** What a check can look at. Both sessions are in a read-only transaction that is rolled back afterwards. */
export interface CheckContext {
  readonly source: Client;
  readonly target: Client;
  readonly syncType: SyncType;
  readonly selection: ObjectSelection;
  /** Decides what is selected. */
  readonly judge: ObjectJudge;
  /** Names of what captures DDL on the source; `null` when it is not to be captured. */
  readonly ddlCapture: DdlCaptureOptions | null;
  /** Which roles come along. */
  readonly users: UserOptions;
  readonly sourceFacts: ServerFacts;
  readonly targetFacts: ServerFacts;
  /** What would be created on the target; read once for all checks. */
  readonly structure: () => Promise<StructurePlan>;
  /** Which roles would be created; `null` when none was asked for. Read once for all checks. */
  readonly rolePlan: () => Promise<RolePlan | null>;
  /** A session of the target outside of any transaction; what is done there must be rolled back. Closed afterwards. */
  readonly onTarget: <T>(work: (target: Client) => Promise<T>) => Promise<T>;
}

/** Tasks that go on with changes: only they need a slot and a publication. */
export const FOLLOWING: readonly SyncType[] = ['full_and_incremental', 'incremental'];

/** What a check saw; a problem comes with its reason and what to do, as SQL to paste where there is some. */
export type Finding =
  | { readonly outcome: 'passed'; readonly evidence: string }
  | {
      readonly outcome: 'warning' | 'failed';
      readonly evidence: string;
      readonly reason: string;
      readonly fix: string;
    };

export interface Check {
  /** Stable: people and scripts refer to it. */
  readonly id: string;
  readonly title: string;
  /** Checks without whose success this one means nothing; it is `blocked` when one of them failed. */
  readonly dependsOn?: readonly string[];
  /** Default: all kinds of tasks. */
  readonly onlyFor?: readonly SyncType[];
  /** Default: that of all checks. */
  readonly timeoutMs?: number;
  readonly run: (context: CheckContext) => Promise<Finding>;
}

export function passed(evidence: string): Finding {
  return { outcome: 'passed', evidence };
}

interface Problem {
  readonly evidence: string;
  readonly reason: string;
  readonly fix: string;
}

export function warning(problem: Problem): Finding {
  return { outcome: 'warning', ...problem };
}

export function failed(problem: Problem): Finding {
  return { outcome: 'failed', ...problem };
}

/** Enough to see what it is about; a report travels as one message. */
const LISTED_MAX = 10;

/** `a, b, c and 7 more`. */
export function listSome(items: readonly string[], max = LISTED_MAX): string {
  const shown = items.slice(0, max).join(', ');
  return items.length > max ? `${shown} and ${items.length - max} more` : shown;
}

/** Statements to paste; a fix of thousands of lines would not fit in a message. */
const STATEMENTS_MAX = 100;

/** One statement a line. */
export function statements(lines: readonly string[]): string {
  const shown = lines.slice(0, STATEMENTS_MAX).join('\n');
  return lines.length > STATEMENTS_MAX ? `${shown}\n-- and ${lines.length - STATEMENTS_MAX} more alike` : shown;
}
