import { type QualifiedName } from '@sluice/postgres-catalog';
import { quoteLiteral } from '@sluice/postgres-client';
import { type ClientBase } from 'pg';
import { type StatementPhase } from './plan.js';

/** Catalogue and OID as pg_depend names an object, e.g. `pg_class:16384`. */
export type ObjectKey = `${string}:${number | string}`;

/** The session that reads, inside a snapshot and with an empty search_path, so that every name comes out qualified. */
export interface Source {
  readonly client: ClientBase;
  readonly versionNum: number;
  /** Of the server that it is all created on. */
  readonly targetVersionNum: number;
}

/** When an object is created. All but `pre` run after the rows are there, in this order. */
export const STAGES = [
  'pre',
  'index',
  'constraint',
  'attach',
  'setting',
  'late',
  'late-index',
  'foreign-key',
  'validation',
  'behaviour',
  'dependency',
  'owner',
  'comment',
  'privilege',
  'refresh',
  'event-trigger',
] as const;
export type Stage = (typeof STAGES)[number];

/** A default or check that is normally written inside its table, and can be added later to break a cycle, or left out. */
export interface DetachablePart {
  readonly key: ObjectKey;
  readonly kind: string;
  /** For people, e.g. `default of "public"."orders"."id"`. */
  readonly identity: string;
  readonly sql: string;
}

export interface SchemaObject {
  readonly key: ObjectKey;
  readonly kind: string;
  /** `<type> <name>` as COMMENT ON and ALTER … OWNER TO take it, e.g. `TABLE "public"."orders"`. */
  readonly address: string;
  readonly stage: Stage;
  /** Orders statements of one stage that must not run at the same time. */
  readonly lane?: number;
  readonly phase?: StatementPhase;
  readonly sql: string;
  readonly table?: QualifiedName;
  readonly claims?: string;
  /** The source role that owns it; left out where an object has no owner of its own. */
  readonly owner?: string;
  readonly parts?: readonly DetachablePart[];
  /** The creating SQL without the parts that were detached. */
  readonly sqlWithout?: (detached: ReadonlySet<ObjectKey>) => string;
  /** Objects that it puts together; it does without those that are not created (`sqlWithout`). */
  readonly joins?: readonly ObjectKey[];
  /** Objects it needs that pg_depend does not tell. */
  readonly needs?: readonly ObjectKey[];
  /** Only a superuser may create it. */
  readonly needsSuperuser?: boolean;
  /** A place-holder that lets others refer to it before it can be created: a shell type, a view of nulls. */
  readonly stub?: string;
}

export function objectKey(catalog: string, oid: number): ObjectKey {
  return `${catalog}:${oid}`;
}

/** `table "public"."orders"`. */
export function identityOf({ kind, address }: Pick<SchemaObject, 'kind' | 'address'>): string {
  return `${kind} ${address.replace(/^[A-Z ]+ /, '')}`;
}

/** Commands as one text; the server runs it in one implicit transaction. */
export function commands(...parts: readonly (string | false | null | undefined)[]): string {
  return parts.filter((part): part is string => typeof part === 'string' && part !== '').join(';\n');
}

/** `(name='value', …)` from the text[] that the catalogues keep options in; empty when there are none. */
export function storageOptions(options: readonly string[] | null, prefix = ''): string[] {
  return (options ?? []).map((option) => {
    const equals = option.indexOf('=');
    const [name, value] = equals < 0 ? [option, 'true'] : [option.slice(0, equals), option.slice(equals + 1)];
    return `${prefix}${name}=${quoteLiteral(value)}`;
  });
}
