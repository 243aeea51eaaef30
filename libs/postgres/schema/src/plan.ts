import { type NamedObject } from '@sluice/model';
import { type QualifiedName } from '@sluice/postgres-catalog';
import { type MissingObject } from './select/select-objects.js';

/** What a post-data statement builds. Foreign keys and refreshes look at the rows of several tables. */
export type StatementPhase = 'index' | 'constraint' | 'foreign-key' | 'refresh' | 'other';

/** One unit of work on the target. `sql` may hold several commands; sent as one query they take effect together. */
export interface Statement {
  readonly kind: string;
  /** For people, e.g. `table "public"."orders"`. */
  readonly identity: string;
  readonly sql: string;
  readonly table?: QualifiedName;
  readonly phase?: StatementPhase;
  /** Groups run in order; statements of one group are independent and may run at the same time. */
  readonly group: number;
  /** The name it takes in the target, for collisions: `relation "public"."orders"`. */
  readonly claims?: string;
}

/** An object of the source, or a property of one, that will be missing on the target. */
export interface UnsupportedObject {
  readonly kind: string;
  readonly identity: string;
  readonly reason: string;
  /** What it belongs to. */
  readonly relation?: QualifiedName;
}

export interface StructurePlan {
  /** Run in one transaction before any row is copied. */
  readonly preData: readonly Statement[];
  /** Run after the rows are there, each in a transaction of its own, by as many workers as wanted. */
  readonly postData: readonly Statement[];
  readonly unsupported: readonly UnsupportedObject[];
  /** Tables and views that are not selected, without which what is selected cannot be created. Then the plan cannot be carried out. */
  readonly missing: readonly MissingObject[];
  /** What comes along because something selected needs it. */
  readonly brought: readonly NamedObject[];
}
