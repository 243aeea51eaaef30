import { type PostgresMajor } from '@sluice/embedded';
import { type ConformanceCase } from '../conformance-case.js';
import { KEY_CASES } from './keys.js';
import { NAME_CASES } from './names.js';
import { SETTING_CASES } from './settings.js';
import { STATEMENT_CASES } from './statements.js';
import { TABLE_CASES } from './tables.js';
import { TOAST_CASES } from './toast.js';
import { TRANSACTION_CASES } from './transactions.js';
import { EXTENSIONS_SINCE } from './more-types.js';
import { typeCases, typesCase } from './types.js';
import { WIDE_CASES } from './wide.js';

/** Set to a regular expression, only cases whose names match are run. */
const ONLY = process.env['SLUICE_CONFORMANCE_ONLY'];

/** What a source of this major can do, and a target of that one can hold. The types come first, as others use them. */
export function casesFor(sourceMajor: PostgresMajor, targetMajor: PostgresMajor): ConformanceCase[] {
  const cases = [
    ...typeCases(sourceMajor, targetMajor),
    ...TOAST_CASES,
    ...KEY_CASES,
    ...TABLE_CASES,
    ...TRANSACTION_CASES,
    ...STATEMENT_CASES,
    ...NAME_CASES,
    ...WIDE_CASES,
    ...SETTING_CASES,
  ]
    .filter(({ since = 10, until = 18 }) => since <= sourceMajor && sourceMajor <= until)
    .filter(({ usesExtensions = false }) => !usesExtensions || targetMajor >= EXTENSIONS_SINCE);
  return [
    typesCase(sourceMajor, targetMajor),
    ...cases.filter(({ name }) => ONLY === undefined || new RegExp(ONLY).test(name)),
  ];
}
