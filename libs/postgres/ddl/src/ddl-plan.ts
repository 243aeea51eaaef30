import { type DdlClass } from '@sluice/contracts';
import { type QualifiedName } from '@sluice/postgres-catalog';
import { type DdlTableFacts } from './ddl-event.js';
import { type DdlSubject, type PartitionChange } from './plan/ddl-subjects.js';

/** A table that has another name now. The OID is the source's, as in its Relation messages. */
export interface RenamedTable {
  readonly oid: number;
  readonly to: QualifiedName;
}

/** A table of the source that stores rows itself. */
export interface StoredTable extends QualifiedName {
  readonly oid: number;
}

/** What the owner of an object is on the source. To be executed only where that role exists. */
export interface OwnerStatement {
  readonly role: string;
  readonly statement: string;
}

/** A DDL of the source, ready to be executed in its place on the target. */
export interface DdlCommand {
  readonly class: DdlClass;
  readonly tag: string;
  /** For people; null when the server does not say it (privileges). */
  readonly identity: string | null;
  readonly statement: string;
  /** The same for those of its objects only, when it drops several. */
  readonly statementFor: ((identities: readonly string[]) => string) | null;
  readonly subjects: readonly DdlSubject[];
  readonly partitionChange: PartitionChange | null;
  readonly searchPath: readonly string[];
  /** To be set with SET LOCAL before the statement, `search_path` included: literals and names in it depend on them. */
  readonly settings: Readonly<Record<string, string>>;
  /** Tables (not views) that are new, permanent, and store rows themselves; their rows are not in the stream before they are published. */
  readonly createdTables: readonly StoredTable[];
  readonly droppedTables: readonly StoredTable[];
  /** Everything with columns that the statement touched, with the columns that the target must have afterwards. */
  readonly changedTables: readonly DdlTableFacts[];
  /** OIDs (of the source) of all tables whose description may have changed, descendants and dropped ones included. */
  readonly affectedOids: readonly number[];
  /**
   * Their rows changed in a way that the stream does not carry. Partitions and children are among them that are not in `changedTables`:
   * those whose rows got a value without being written.
   */
  readonly recopyTables: readonly StoredTable[];
  readonly renamedTables: readonly RenamedTable[];
  /** All tables in it have another name now, too. */
  readonly renamedSchemas: readonly { readonly from: string; readonly to: string }[];
  readonly ownerStatements: readonly OwnerStatement[];
  /** Roles that the statement names; it fails where one of them is missing. */
  readonly roles: readonly string[];
}

export type DdlPlan =
  | { readonly kind: 'command'; readonly command: DdlCommand }
  /** Nothing to do on the target, on purpose. */
  | { readonly kind: 'ignored'; readonly reason: string }
  /** It is not certain what was executed: a person decides. */
  | {
      readonly kind: 'unattributable';
      readonly reason: string;
      readonly class: DdlClass;
      readonly tag: string;
      readonly identity: string | null;
      /** Empty when nobody knows. */
      readonly subjects: readonly DdlSubject[];
      /** The text that it came from, to be shown; null when it is unknown. */
      readonly text: string | null;
    };

/** Names of the source → names on the target; what is not in it keeps its name. */
export interface NameMapping {
  readonly schemas?: Readonly<Record<string, string>>;
  readonly tables?: readonly { readonly from: QualifiedName; readonly to: QualifiedName }[];
  /** By table of the source. */
  readonly columns?: readonly { readonly table: QualifiedName; readonly from: string; readonly to: string }[];
}
