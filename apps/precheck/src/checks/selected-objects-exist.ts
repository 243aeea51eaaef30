import { judgeObjects } from '@sluice/model';
import { readAncestors, readSelectableObjects, type SelectableObject } from '@sluice/postgres-catalog';
import { type Check, failed, listSome, passed, warning } from '../check.js';

export const selectedObjectsExist: Check = {
  id: 'selected-objects-exist',
  title: 'Objects that are listed exist, and patterns match something',
  run: async ({ source, selection, judge }) => {
    if (judge.isEverything) return passed('everything is selected');
    const found = await readSelectableObjects(source);
    const absent =
      selection.level === 'table'
        ? selection.objects.filter((listed) => !found.some((object) => isSame(listed, object)))
        : [];
    if (absent.length > 0) {
      return failed({
        evidence: `${absent.length} not on the source: ${listSome(absent.map((listed) => `${listed.kind} ${nameOf(listed)}`))}`,
        reason: 'Names are compared with upper and lower case as they are. What does not exist cannot be transferred.',
        fix: 'Correct the names, or take them out of the list.',
      });
    }
    const ancestors = await readAncestors(source);
    const selected = found.filter((object) => judge.selects(object));
    if (selected.length === 0 && ancestors.size === 0) {
      return failed({
        evidence: 'no object of the source is selected',
        reason: 'The task would transfer nothing.',
        fix: 'Choose objects, or patterns that match some; patterns are schema.name, compared with upper and lower case as they are.',
      });
    }
    const vain = [...(selection.include ?? []), ...(selection.exclude ?? [])].filter(
      (pattern) => !found.some((object) => judgeObjects({ level: 'database', include: [pattern] }).selects(object)),
    );
    if (vain.length === 0) return passed(`${selected.length} objects are selected by their names`);
    return warning({
      evidence: `${selected.length} objects are selected; patterns that match nothing: ${listSome(vain)}`,
      reason: 'A pattern with a slip in it leaves out, or takes in, what was meant otherwise.',
      fix: 'Correct them, or keep them for objects that are still to come.',
    });
  },
};

type Listed = { readonly kind: string; readonly schema: string; readonly name?: string };

function isSame(listed: Listed, { kind, schema, name }: SelectableObject): boolean {
  if (listed.schema !== schema) return false;
  return listed.kind === 'schema' || (listed.kind === kind && listed.name === name);
}

function nameOf({ schema, name }: Listed): string {
  return name === undefined ? schema : `${schema}.${name}`;
}
