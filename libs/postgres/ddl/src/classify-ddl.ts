import { type DdlClass } from '@sluice/contracts';

const BY_OBJECT: readonly (readonly [RegExp, DdlClass])[] = [
  [/^COMMENT$/, 'comment'],
  [/^(GRANT|REVOKE)$|DEFAULT PRIVILEGES$/, 'grant'],
  [/ MATERIALIZED VIEW$/, 'materialized_view'],
  [/ (VIEW|RULE)$/, 'view'],
  [/ (TABLE|TABLE AS)$|^SELECT INTO$/, 'table'],
  [/ INDEX$/, 'index'],
  [/ SEQUENCE$/, 'sequence'],
  [/ (TYPE|DOMAIN)$/, 'type'],
  [/ (FUNCTION|PROCEDURE|ROUTINE|AGGREGATE)$/, 'function'],
  [/ EVENT TRIGGER$/, 'other'],
  [/ TRIGGER$/, 'trigger'],
  [/ POLICY$/, 'policy'],
  [/ SCHEMA$/, 'schema'],
];
/** It needs a server that the target need not reach. */
const OTHER = /FOREIGN (TABLE|SCHEMA)$/;

/** The class of a command tag, by which a person decides what happens to it. */
export function classifyDdl(tag: string): DdlClass {
  if (OTHER.test(tag)) return 'other';
  return BY_OBJECT.find(([pattern]) => pattern.test(tag))?.[1] ?? 'other';
}
