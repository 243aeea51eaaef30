import { type NamedObject, type ObjectJudge, type SchemaAndName } from '@sluice/model';
import { type DependencyEdge } from '../dependencies.js';
import { buildGraph, type DependencyGraph } from '../dependency-graph.js';
import { without } from '../leave-out.js';
import { identityOf, type ObjectKey, type SchemaObject } from '../schema-object.js';
import { type FoundObject } from './object-names.js';

/** A table or view that something selected cannot be created without. */
export interface MissingObject extends NamedObject {
  /** For people: what needs it, and what that is part of. */
  readonly neededBy: string;
}

export interface SelectedObjects {
  readonly objects: readonly SchemaObject[];
  readonly missing: readonly MissingObject[];
  /** Not selected by their names, but needed by something that is. */
  readonly brought: readonly NamedObject[];
  readonly schemas: ReadonlySet<string>;
}

export interface SelectionFacts {
  readonly judge: ObjectJudge;
  readonly found: ReadonlyMap<ObjectKey, FoundObject>;
  /** With those of triggers and policies. */
  readonly edges: readonly DependencyEdge[];
}

const nameKey = ({ schema, name }: SchemaAndName): string => JSON.stringify([schema, name]);
/** They come with the database, or because something needs them. */
const KINDS_OF_NO_SCHEMA = ['extension', 'event trigger', 'language', 'access method'];

/**
 * Takes what is selected and what that needs.
 *
 * Maintained invariant: a table, view or materialized view is taken only when it is selected, whatever needs it; so rows
 * that were not asked for never come along.
 */
export function selectObjects(objects: readonly SchemaObject[], facts: SelectionFacts): SelectedObjects {
  return new Closure(objects, facts).close();
}

class Closure {
  readonly #objects: readonly SchemaObject[];
  readonly #facts: SelectionFacts;
  readonly #byKey: ReadonlyMap<ObjectKey, SchemaObject>;
  readonly #graph: DependencyGraph;
  /** What is part of a relation (indexes, constraints, triggers, …), by its name. */
  readonly #partsOf: ReadonlyMap<string, readonly SchemaObject[]>;
  readonly #relations: ReadonlyMap<string, FoundObject>;
  /** Those of columns, with their tables: they go where these go. */
  readonly #ownerOfSequence: ReadonlyMap<ObjectKey, ObjectKey>;
  readonly #taken = new Set<ObjectKey>();
  readonly #missing = new Map<string, MissingObject>();

  constructor(objects: readonly SchemaObject[], facts: SelectionFacts) {
    this.#objects = objects;
    this.#facts = facts;
    this.#byKey = new Map(objects.map((object) => [object.key, object]));
    this.#graph = buildGraph(this.#byKey, facts.edges).graph;
    const parts = objects.filter((object) => object.table && !facts.found.get(object.key)?.isRelation);
    this.#partsOf = Map.groupBy(parts, ({ table }) => nameKey(table ?? { schema: '', name: '' }));
    this.#relations = new Map(
      [...facts.found.values()].filter(({ isRelation }) => isRelation).map((found) => [nameKey(found), found]),
    );
    this.#ownerOfSequence = new Map(
      facts.edges.flatMap(({ from, to, type }) =>
        (type === 'a' || type === 'i') && isSequence(facts.found.get(from)) && facts.found.get(to)?.kind === 'table'
          ? [[from, to] as const]
          : [],
      ),
    );
  }

  close(): SelectedObjects {
    for (const object of this.#objects) if (this.#isRoot(object)) this.#take(object);
    this.#takeSequences();
    for (const object of this.#objects) if (this.#isAttached(object)) this.#take(object);
    const schemas = this.#schemas();
    const objects = this.#objects
      .filter((object) =>
        object.kind === 'schema'
          ? schemas.has(schemaOf(object))
          : this.#taken.has(object.key) || this.#joinsTaken(object),
      )
      .map((object) => this.#ofTaken(object));
    const taken = objects.flatMap(({ key }) => this.#facts.found.get(key) ?? []);
    return {
      objects,
      missing: [...this.#missing.values()],
      brought: taken.filter(({ isSelected }) => !isSelected).map(({ kind, schema, name }) => ({ kind, schema, name })),
      schemas,
    };
  }

  #isRoot(object: SchemaObject): boolean {
    const { found, judge } = this.#facts;
    if (KINDS_OF_NO_SCHEMA.includes(object.kind))
      return judge.level === 'database' && this.#needsOf(object).every((key) => this.#maySelect(key));
    // One that is listed is wanted, whatever becomes of its table.
    if (this.#ownerOfSequence.has(object.key) && judge.level === 'database') return false;
    return found.get(object.key)?.isSelected === true;
  }

  /** An event trigger comes with its function, and not the other way round. */
  #maySelect(key: ObjectKey): boolean {
    const found = this.#facts.found.get(key);
    return found === undefined || found.isSelected;
  }

  #needsOf({ key }: SchemaObject): ObjectKey[] {
    return [...(this.#graph.get(key) ?? [])];
  }

  #take(first: SchemaObject): void {
    const waiting = [first];
    for (let object = waiting.pop(); object; object = waiting.pop()) {
      if (this.#taken.has(object.key)) continue;
      this.#taken.add(object.key);
      const found = this.#facts.found.get(object.key);
      if (found?.isRelation) waiting.push(...(this.#partsOf.get(nameKey(found)) ?? []));
      for (const key of this.#needsOf(object)) {
        const needed = this.#byKey.get(key);
        if (needed && this.#mayTake(needed, object)) waiting.push(needed);
      }
    }
  }

  /** Notes a relation that is needed and not selected. */
  #mayTake(needed: SchemaObject, by: SchemaObject): boolean {
    const { found } = this.#facts;
    const own = found.get(needed.key);
    const relation = own?.isRelation === true ? own : needed.table && this.#relations.get(nameKey(needed.table));
    if (!relation || relation.isSelected) return true;
    const { kind, schema, name } = relation;
    const key = nameKey(relation);
    if (!this.#missing.has(key)) this.#missing.set(key, { kind, schema, name, neededBy: identityOf(by) });
    return false;
  }

  /** Those that columns own come with their tables, though nothing but a default may need them. */
  #takeSequences(): void {
    for (const [sequenceKey, tableKey] of this.#ownerOfSequence) {
      const sequence = this.#byKey.get(sequenceKey);
      if (sequence && this.#taken.has(tableKey)) this.#take(sequence);
    }
    for (const object of this.#objects) {
      const isWhole = object.kind === 'owner of sequence' && (object.needs ?? []).every((key) => this.#taken.has(key));
      if (isWhole) this.#taken.add(object.key);
    }
  }

  /** What has neither a schema nor a table (casts, transforms, checks of domains) comes when all that it needs does. */
  #isAttached(object: SchemaObject): boolean {
    if (object.table || this.#facts.found.has(object.key)) return false;
    if (['schema', 'owner of sequence', ...KINDS_OF_NO_SCHEMA].includes(object.kind)) return false;
    const needs = this.#needsOf(object).filter((key) => this.#byKey.get(key)?.kind !== 'schema');
    return needs.length > 0 && needs.every((key) => this.#taken.has(key));
  }

  #joinsTaken({ joins = [] }: SchemaObject): boolean {
    return joins.some((key) => this.#taken.has(key));
  }

  #ofTaken(object: SchemaObject): SchemaObject {
    const { joins = [] } = object;
    return joins.length === 0 ? object : without(object, new Set(joins.filter((key) => !this.#taken.has(key))));
  }

  #schemas(): Set<string> {
    const { found, judge } = this.#facts;
    const holding = [...this.#taken].flatMap((key) => found.get(key)?.schema ?? []);
    const needed = [...this.#taken].flatMap((key) => {
      const object = this.#byKey.get(key);
      return object?.kind === 'schema' ? [schemaOf(object)] : [];
    });
    const own = this.#objects.flatMap((object) => {
      const name = object.kind === 'schema' ? schemaOf(object) : null;
      return name !== null && judge.level === 'database' && judge.mayHold(name) ? [name] : [];
    });
    return new Set([...holding, ...needed, ...own]);
  }
}

function isSequence(found: FoundObject | undefined): boolean {
  return found?.kind === 'sequence';
}

function schemaOf({ address }: SchemaObject): string {
  return address.replace(/^SCHEMA "(.*)"$/s, '$1').replaceAll('""', '"');
}
