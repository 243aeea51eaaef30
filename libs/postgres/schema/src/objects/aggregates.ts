import { inUserSchema, notExtensionMember, readRows, since, sql } from '@sluice/postgres-catalog';
import { quoteLiteral, quoteQualified } from '@sluice/postgres-client';
import { objectKey, type SchemaObject, type Source } from '../schema-object.js';

interface AggregateRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly owner: string;
  readonly arguments: string;
  readonly identityArguments: string;
  readonly inputTypes: string;
  readonly kind: 'h' | 'n' | 'o';
  readonly parallel: 'r' | 's' | 'u';
  readonly stateType: string;
  readonly stateSpace: number;
  readonly initialState: string | null;
  readonly movingStateType: string | null;
  readonly movingStateSpace: number;
  readonly movingInitialState: string | null;
  readonly sortOperator: string | null;
  /** Support functions by their option, qualified; those not set are left out. */
  readonly functions: Readonly<Record<string, string>>;
  readonly finalExtra: boolean;
  readonly movingFinalExtra: boolean;
  readonly finalModify: 'r' | 's' | 'w' | null;
  readonly movingFinalModify: 'r' | 's' | 'w' | null;
}

const PARALLEL = { r: 'RESTRICTED', s: 'SAFE', u: 'UNSAFE' } as const;
const MODIFY = { r: 'READ_ONLY', s: 'SHAREABLE', w: 'READ_WRITE' } as const;

export async function readAggregates(source: Source): Promise<SchemaObject[]> {
  const rows = await readAggregateRows(source);
  return rows.map((row) => {
    const name = quoteQualified(row.schema, row.name);
    return {
      key: objectKey('pg_proc', row.oid),
      kind: 'aggregate',
      address: `AGGREGATE ${name}(${row.identityArguments || '*'})`,
      stage: 'pre',
      sql: `CREATE AGGREGATE ${name}(${row.arguments || '*'}) (\n  ${aggregateOptions(row).join(',\n  ')}\n)`,
      claims: `function ${name}(${row.inputTypes})`,
      owner: row.owner,
      needsSuperuser: row.stateType === 'internal' || row.movingStateType === 'internal',
    };
  });
}

function aggregateOptions(row: AggregateRow): string[] {
  const { functions } = row;
  const pairs: [string, string | undefined | false | null][] = [
    ...Object.entries(functions),
    ['STYPE', row.stateType],
    ['SSPACE', row.stateSpace !== 0 && String(row.stateSpace)],
    ['INITCOND', row.initialState !== null && quoteLiteral(row.initialState)],
    ['FINALFUNC_MODIFY', functions['FINALFUNC'] !== undefined && row.finalModify !== null && MODIFY[row.finalModify]],
    ['MSTYPE', row.movingStateType],
    ['MSSPACE', row.movingStateSpace !== 0 && String(row.movingStateSpace)],
    ['MINITCOND', row.movingInitialState !== null && quoteLiteral(row.movingInitialState)],
    [
      'MFINALFUNC_MODIFY',
      functions['MFINALFUNC'] !== undefined && row.movingFinalModify !== null && MODIFY[row.movingFinalModify],
    ],
    ['SORTOP', row.sortOperator],
    ['PARALLEL', PARALLEL[row.parallel]],
  ];
  return [
    ...pairs.flatMap(([option, value]) => (typeof value === 'string' ? [`${option} = ${value}`] : [])),
    ...(row.finalExtra ? ['FINALFUNC_EXTRA'] : []),
    ...(row.movingFinalExtra ? ['MFINALFUNC_EXTRA'] : []),
    ...(row.kind === 'h' ? ['HYPOTHETICAL'] : []),
  ];
}

/** Tested on PostgreSQL 10–18. An ordered-set aggregate prints its arguments with ORDER BY in pg_get_function_arguments(). */
function readAggregateRows({ client, versionNum }: Source): Promise<AggregateRow[]> {
  const isAggregate = since(versionNum, { from: 110_000, use: sql`p.prokind = 'a'`, before: sql`p.proisagg` });
  const modify = since(versionNum, {
    from: 110_000,
    use: sql`a.aggfinalmodify AS "finalModify", a.aggmfinalmodify AS "movingFinalModify"`,
    before: sql`NULL AS "finalModify", NULL AS "movingFinalModify"`,
  });
  return readRows<AggregateRow>(
    client,
    sql`
    SELECT p.oid, n.nspname AS schema, p.proname AS name, r.rolname AS owner,
      pg_catalog.pg_get_function_arguments(p.oid) AS arguments,
      pg_catalog.pg_get_function_identity_arguments(p.oid) AS "identityArguments",
      pg_catalog.oidvectortypes(p.proargtypes) AS "inputTypes",
      a.aggkind AS kind, p.proparallel AS parallel,
      pg_catalog.format_type(a.aggtranstype, NULL) AS "stateType", a.aggtransspace AS "stateSpace",
      a.agginitval AS "initialState",
      CASE WHEN a.aggmtranstype <> 0 THEN pg_catalog.format_type(a.aggmtranstype, NULL) END AS "movingStateType",
      a.aggmtransspace AS "movingStateSpace", a.aggminitval AS "movingInitialState",
      (SELECT pg_catalog.format('OPERATOR(%I.%s)', o.nspname, op.oprname)
       FROM pg_catalog.pg_operator op JOIN pg_catalog.pg_namespace o ON o.oid = op.oprnamespace
       WHERE op.oid = a.aggsortop) AS "sortOperator",
      pg_catalog.json_strip_nulls(pg_catalog.json_build_object(
        'SFUNC', nullif(a.aggtransfn::regproc::text, '-'), 'FINALFUNC', nullif(a.aggfinalfn::regproc::text, '-'),
        'COMBINEFUNC', nullif(a.aggcombinefn::regproc::text, '-'), 'SERIALFUNC', nullif(a.aggserialfn::regproc::text, '-'),
        'DESERIALFUNC', nullif(a.aggdeserialfn::regproc::text, '-'), 'MSFUNC', nullif(a.aggmtransfn::regproc::text, '-'),
        'MINVFUNC', nullif(a.aggminvtransfn::regproc::text, '-'), 'MFINALFUNC', nullif(a.aggmfinalfn::regproc::text, '-')
      )) AS functions,
      a.aggfinalextra AS "finalExtra", a.aggmfinalextra AS "movingFinalExtra", ${modify}
    FROM pg_catalog.pg_aggregate a
    JOIN pg_catalog.pg_proc p ON p.oid = a.aggfnoid
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    JOIN pg_catalog.pg_roles r ON r.oid = p.proowner
    WHERE ${inUserSchema} AND ${isAggregate} AND ${notExtensionMember(sql`pg_proc`, sql`p.oid`)}
    ORDER BY n.nspname, p.proname, "identityArguments"`,
  );
}
