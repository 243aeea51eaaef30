import { ObjectSelection } from '@sluice/contracts';
import { ListRefusedError } from './list-refused-error.js';
import { type ListFormat, readLines, writeLines } from './object-list-formats.js';
import { HEADER, listLines, parseObjectList } from './object-list.js';

/** The listed objects; of a task that lists none, only the header. */
export function exportObjects(selection: ObjectSelection, format: ListFormat): Uint8Array {
  const objects = selection.level === 'table' ? selection.objects : [];
  return writeLines([HEADER, ...listLines(objects)], format);
}

/** @throws ListRefusedError with every line that is wrong; then nothing is taken. */
export function importObjects(
  bytes: Uint8Array,
  { format, present }: { readonly format: ListFormat; readonly present: ObjectSelection },
): ObjectSelection {
  const parsed = parseObjectList(readLines(bytes, format));
  if (!parsed.ok) throw new ListRefusedError(parsed.errors);
  const { include, exclude } = present;
  const patterns = present.level === 'table' ? { ...(include && { include }), ...(exclude && { exclude }) } : {};
  return ObjectSelection.parse({ level: 'table', objects: parsed.objects, ...patterns });
}
