import { type NamedObject } from '@sluice/model';
import { type ObjectKey, type SchemaObject } from '../schema-object.js';
import { type FoundObject } from './object-names.js';
import { type MissingObject, type SelectedObjects, selectObjects, type SelectionFacts } from './select-objects.js';

export interface ProposedClosure {
  /** What has to be selected as well, with what that needs in turn. */
  readonly missing: readonly MissingObject[];
  /** What comes along once it is. */
  readonly brought: readonly NamedObject[];
  readonly extensions: readonly string[];
}

/** Takes in what is missing, until nothing is. It ends: each round selects objects that were not before. */
export function proposeClosure(objects: readonly SchemaObject[], facts: SelectionFacts): ProposedClosure {
  const missing: MissingObject[] = [];
  let found = facts.found;
  for (;;) {
    const selected = selectObjects(objects, { ...facts, found });
    if (selected.missing.length === 0)
      return { missing, brought: selected.brought, extensions: extensionsOf(selected) };
    missing.push(...selected.missing);
    found = withSelected(found, selected.missing);
  }
}

function withSelected(
  found: ReadonlyMap<ObjectKey, FoundObject>,
  missing: readonly MissingObject[],
): ReadonlyMap<ObjectKey, FoundObject> {
  const names = new Set(missing.map(nameKey));
  return new Map(
    [...found].map(([key, object]) => [
      key,
      object.isRelation && names.has(nameKey(object)) ? { ...object, isSelected: true } : object,
    ]),
  );
}

function nameKey({ schema, name }: NamedObject): string {
  return JSON.stringify([schema, name]);
}

function extensionsOf({ objects }: SelectedObjects): string[] {
  return objects.flatMap(({ kind, address }) =>
    kind === 'extension' ? [address.replace(/^EXTENSION "(.*)"$/s, '$1').replaceAll('""', '"')] : [],
  );
}
