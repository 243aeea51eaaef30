import { type NamedObject } from '@sluice/model';
import { type Client } from '@sluice/postgres-client';
import {
  type DdlCommand,
  type DdlName,
  type DdlSubject,
  type PartitionChange,
  type StoredTable,
} from '@sluice/postgres-ddl';
import { indexTable, partitionAncestors, relationExists } from './target-relations.js';
import { type SelectionException, type TaskObjects } from './task-objects.js';

/** What is noted about names in the transaction of the DDL. */
export interface NameChanges {
  readonly except: readonly SelectionException[];
  readonly forget: readonly NamedObject[];
}

export type Gate =
  | ({
      readonly kind: 'inside';
      /** What of a DROP is about the task's objects; null: all of it. */ readonly only: readonly string[] | null;
    } & NameChanges)
  | ({ readonly kind: 'outside' } & NameChanges)
  /** What it is about belongs to the task from now on, and the target does not have it. */
  | { readonly kind: 'enters'; readonly objects: readonly NamedObject[]; readonly tables: readonly StoredTable[] }
  | { readonly kind: 'unclear'; readonly reason: string };

type ObjectSubject = Extract<DdlSubject, { of: 'object' }>;
type Verdict = 'inside' | 'outside' | 'enters' | 'unclear';

const NO_CHANGES: NameChanges = { except: [], forget: [] };
const UNCLEAR: Gate = {
  kind: 'unclear',
  reason:
    'it is not certain whether it is about objects of the task: the text leaves open in which schema they are, or names some of each',
};

/** Decides whether a DDL of the source is about objects of the task. Looks at the target where the source does not tell. */
export class SelectionGate {
  readonly #target: Client;
  readonly #objects: TaskObjects;

  constructor(target: Client, objects: TaskObjects) {
    this.#target = target;
    this.#objects = objects;
  }

  async judge(command: Pick<DdlCommand, 'subjects'> & Partial<DdlCommand>): Promise<Gate> {
    if (this.#objects.isEverything) return { kind: 'inside', only: null, ...NO_CHANGES };
    const { subjects } = command;
    if (subjects.length === 0) return { kind: 'unclear', reason: 'it is not certain which objects it is about' };
    const verdicts: Verdict[] = [];
    for (const subject of subjects) verdicts.push(await this.#verdictOn(subject));
    if (verdicts.includes('unclear')) return UNCLEAR;
    if (verdicts.includes('enters')) return this.#entering(command);
    const moved = await this.#partition(command, verdicts[0] ?? 'outside');
    if (moved) return moved;
    const changes = this.#changes(subjects, verdicts);
    if (verdicts.every((verdict) => verdict === 'outside')) return { kind: 'outside', ...changes };
    if (verdicts.every((verdict) => verdict === 'inside')) return { kind: 'inside', only: null, ...changes };
    const only = subjects.flatMap((subject, index) =>
      verdicts[index] === 'inside' && 'identity' in subject && subject.identity !== null ? [subject.identity] : [],
    );
    return command.statementFor && only.length > 0 ? { kind: 'inside', only, ...changes } : UNCLEAR;
  }

  async #verdictOn(subject: DdlSubject): Promise<Verdict> {
    switch (subject.of) {
      case 'database':
        return this.#objects.level === 'database' ? 'inside' : 'outside';
      case 'schema': {
        const held = [subject.name, ...(subject.before === null ? [] : [subject.before])].map((name) =>
          this.#objects.mayHold(name),
        );
        if (subject.before !== null && held.includes(true)) return 'unclear';
        return held.includes(true) ? 'inside' : 'outside';
      }
      case 'dropped-index': {
        const table = await indexTable(this.#target, subject);
        if (!table) return 'outside';
        const ancestors = await partitionAncestors(this.#target, table);
        const kinds = ['table', 'materialized_view'] as const;
        return kinds.some((kind) => this.#objects.has({ kind, ...table }, ancestors)) ? 'inside' : 'outside';
      }
      case 'object':
        return this.#verdictOnObject(subject);
    }
  }

  async #verdictOnObject(subject: ObjectSubject): Promise<Verdict> {
    const now = await this.#isIn(subject, subject);
    if (now === null) return 'unclear';
    if (!subject.before) return now ? 'inside' : 'outside';
    const before = await this.#isIn(subject.before, { ...subject, fate: 'kept' });
    if (before === null) return 'unclear';
    if (before) return 'inside';
    return now ? 'enters' : 'outside';
  }

  /** `null` when it depends on which schema is meant. */
  async #isIn({ schemas, name }: DdlName, subject: ObjectSubject): Promise<boolean | null> {
    const answers = new Set<boolean>();
    for (const schema of schemas) {
      const ancestors =
        subject.ancestors ??
        (subject.kinds.includes('table') ? await partitionAncestors(this.#target, { schema, name }) : []);
      const isNew =
        subject.fate === 'made' ||
        (subject.fate === 'made-or-kept' && !(await relationExists(this.#target, { schema, name })));
      const decide = (kind: NamedObject['kind']): boolean =>
        isNew
          ? this.#objects.admits({ kind, schema, name }, ancestors)
          : this.#objects.has({ kind, schema, name }, ancestors);
      answers.add(subject.kinds.some(decide));
    }
    return answers.size > 1 ? null : answers.has(true);
  }

  /** A partition that comes into a tree of the task with rows of its own, or leaves a tree and stays with the task. */
  async #partition(command: Partial<DdlCommand>, root: Verdict): Promise<Gate | null> {
    const { partitionChange: change, subjects = [], changedTables = [] } = command;
    if (!change) return null;
    const [schema, another] = await this.#schemasOf(change, subjects[0]);
    if (schema === undefined || another !== undefined) return root === 'outside' ? null : UNCLEAR;
    const table: NamedObject = { kind: 'table', schema, name: change.name };
    const isOwn = this.#objects.has(table);
    const stays = { except: [{ ...table, isSelected: true }], forget: [] };
    if (root === 'outside') return change.kind === 'attach' && isOwn ? { kind: 'outside', ...stays } : null;
    if (change.kind === 'detach') return isOwn ? null : { kind: 'inside', only: null, ...stays };
    if (isOwn) return null;
    return {
      kind: 'enters',
      objects: [table],
      tables: await this.#absent(changedTables.flatMap(({ descendants }) => descendants)),
    };
  }

  async #schemasOf({ kind, schemas, name }: PartitionChange, root: DdlSubject | undefined): Promise<readonly string[]> {
    if (kind === 'attach' || root?.of !== 'object') return schemas;
    const found: string[] = [];
    for (const schema of schemas) {
      const [above] = await partitionAncestors(this.#target, { schema, name });
      if (above?.name === root.name && root.schemas.includes(above.schema)) found.push(schema);
    }
    return found.length > 0 ? found : schemas;
  }

  async #entering({ subjects = [], changedTables = [] }: Partial<DdlCommand>): Promise<Gate> {
    const objects = subjects.flatMap((subject) =>
      subject.of === 'object' && subject.before
        ? [
            {
              kind: subject.kinds[0] ?? 'other',
              schema: subject.schemas[0] ?? '',
              name: subject.name,
            } satisfies NamedObject,
          ]
        : [],
    );
    return {
      kind: 'enters',
      objects,
      tables: await this.#absent(changedTables.flatMap((table) => [table, ...table.descendants])),
    };
  }

  /** Those that store rows and have none on the target. */
  async #absent(tables: readonly (StoredTable & { readonly kind: string })[]): Promise<StoredTable[]> {
    const absent: StoredTable[] = [];
    for (const { oid, schema, name, kind } of tables)
      if (kind === 'r' && !(await relationExists(this.#target, { schema, name }))) absent.push({ oid, schema, name });
    return absent;
  }

  /** A table that is followed stays with the task under any name; one that was kept out stays out under its name. */
  #changes(subjects: readonly DdlSubject[], verdicts: readonly Verdict[]): NameChanges {
    const except: SelectionException[] = [];
    const forget: NamedObject[] = [];
    for (const [index, subject] of subjects.entries()) {
      if (subject.of !== 'object' || subject.schemas.length !== 1) continue;
      const isInside = verdicts[index] === 'inside';
      const object: NamedObject = {
        kind: subject.kinds[0] ?? 'other',
        schema: subject.schemas[0] ?? '',
        name: subject.name,
      };
      if (subject.before?.schemas.length === 1)
        forget.push({ ...object, schema: subject.before.schemas[0] ?? '', name: subject.before.name });
      if (subject.fate === 'gone') forget.push(object);
      const isNamed = this.#objects.has(object, subject.ancestors ?? []);
      const isSettled = subject.before !== null || subject.fate.startsWith('made');
      if (isSettled && isNamed !== isInside) except.push({ ...object, isSelected: isInside });
    }
    return { except, forget };
  }
}
