import { type PostgresMajor } from '@sluice/embedded';
import { type TypeSample } from '@sluice/testing';

/** A type that newer majors have no more says until when. */
export interface BoundedSample extends TypeSample {
  readonly until?: number;
}

/** The embedded servers before 13 have control files that they cannot read, so that no list of extensions can be had. */
export const EXTENSIONS_SINCE = 13;
export const EXTENSION_TYPES = ['hstore', 'citext', 'ltree', 'cube', 'isn', 'seg', 'intarray']
  .map((name) => `CREATE EXTENSION ${name} SCHEMA ext;`)
  .toSpliced(0, 0, 'CREATE SCHEMA ext;')
  .join('\n');

export const moreTypes = (major: PostgresMajor): string => `
  CREATE SCHEMA more;
  CREATE TYPE more.inner_part AS (a text, b integer);
  CREATE TYPE more.outer_part AS (name text, part more.inner_part, parts more.inner_part[], mood every.mood);
  CREATE DOMAIN more.numbers AS integer[] CHECK (array_length(VALUE, 1) < 100);
  CREATE DOMAIN more.short AS varchar(5);
  CREATE DOMAIN more.shorter AS more.short CHECK (VALUE <> 'no') NOT NULL DEFAULT 'd';
  CREATE DOMAIN more.code AS character(4);
  CREATE TYPE more.text_range AS RANGE (subtype = text, collation = "C");
  CREATE TYPE "more"."Odd ""type"".name" AS ENUM ('a', 'A', ' ');
  ${major >= 11 ? 'CREATE DOMAIN every.street AS every.address; CREATE DOMAIN more.part_domain AS more.inner_part;' : ''}
  ${major >= 14 ? 'CREATE TYPE more.time_range AS RANGE (subtype = time, multirange_type_name = more.time_ranges);' : ''}`;

const of = (type: string, ...values: string[]): BoundedSample => ({ type, values });
const since = (major: number, type: string, ...values: string[]): BoundedSample => ({ type, since: major, values });
const until = (major: number, type: string, ...values: string[]): BoundedSample => ({ type, until: major, values });

/** What the samples of other tests leave out: types of the system, of extensions, nested ones, and more odd values. */
export const MORE_SAMPLES: readonly BoundedSample[] = [
  of('numeric(1000, 500)', "('0.' || repeat('9', 500))", "('-1' || repeat('0', 499))"),
  of('numeric(5)', "'99999'", "'-0'"),
  of(
    'character varying',
    "'\\x'",
    "repeat('ä', 5000)",
    'chr(1114111)',
    "chr(65279) || 'bom'",
    'chr(55203) || chr(8238)',
  ),
  of('character(300)', "''", "'x'", "repeat('é', 300)"),
  of('xid', "'4294967295'", "'3'"),
  of('cid', "'0'", "'4294967295'"),
  of('int2vector', "'1 2 -3'", "''"),
  of('oidvector', "'1 4294967295'", "''"),
  of('refcursor', `'<unnamed "portal" 1>'`, "''"),
  of('aclitem', "'postgres=arw/postgres'", "'=r/postgres'"),
  of('regproc', "'pg_catalog.now'", "'0'", "'4294967295'"),
  of('regprocedure', "'pg_catalog.sum(integer)'", "'pg_catalog.length(text)'"),
  of('regoper', "'pg_catalog.|/'"),
  of('regoperator', "'pg_catalog.+(integer,integer)'", "'pg_catalog.-(none,bigint)'"),
  of('regconfig', "'pg_catalog.simple'", "'pg_catalog.german'"),
  of('regdictionary', "'pg_catalog.simple'"),
  of('regnamespace', "'every'", "'pg_catalog'"),
  of('regrole', "'postgres'"),
  since(13, 'regcollation', `'pg_catalog."C"'`),
  of('regclass[]', "'{pg_catalog.pg_class,pg_catalog.pg_type}'"),
  until(11, 'abstime', "'infinity'", "'2001-02-03 04:05:06+00'", "'-infinity'"),
  until(11, 'reltime', "'1 day'", "'-3 hours'"),
  until(11, 'tinterval', `'["2001-02-03 04:05:06+00" "2002-02-03 04:05:06+00"]'`),
  of('date[]', '\'{infinity,-infinity,"4713-01-01 BC"}\'', "'{}'"),
  of('time with time zone[]', "'{00:00:00+15:59,24:00:00-15:59}'"),
  of('interval[]', `'{"1 year -2 mons","-00:00:00.000001"}'`),
  of('character(3)[]', `'{a,"b ",NULL}'`, "'{{a,b},{c,d}}'"),
  of('bit varying[]', '\'{101,"",0}\''),
  of('money[]', `'{"$1.00","-$2.50"}'`),
  of('xml[]', '\'{<a/>,"<b c=\\"d\\"/>"}\''),
  of('json[]', `ARRAY['{"a":  1, "a": 2}'::json, 'null', NULL]`),
  of('inet[]', "'{1.2.3.4/8,::1}'"),
  of('point[]', `'{"(1,2)","(NaN,-Infinity)"}'`),
  of('name[]', `'{"a b",pg}'`),
  of('"char"[]', `'{a,b,"\\""}'`),
  of('int4range[]', `'{"[1,2)",empty,"(,)"}'`),
  of('tsvector[]', `ARRAY['a:1 b:2'::tsvector, '']`),
  of('line', "'{1e-300,-1,1e300}'"),
  of('circle', "'<(Infinity,-Infinity),NaN>'", "'<(1,2),Infinity>'"),
  of('box', "'(Infinity,Infinity),(-Infinity,-Infinity)'"),
  of('polygon', "'((NaN,Infinity),(1e-320,-0))'"),
  of('lseg', "'[(-Infinity,1e308),(0.1,0.2)]'"),
  of('inet', "'255.255.255.255/0'", "'::ffff:1.2.3.4/128'", "'fe80::1/10'"),
  of(
    'xml',
    `'<?xml version="1.0"?><a xmlns="b"><![CDATA[<&>]]><!-- c --></a>'`,
    `'<!DOCTYPE a><a/>'`,
    `E'  <a>\\r\\n</a>  '`,
  ),
  of(
    'json',
    `'"\\u0000"'`,
    `E'\\t{ "a" : [ 1 , 2.0 , -0 , 1E+2 ] }\\n'`,
    `'{"":"","a":{"a":{}}}'`,
    `'"\\ud83d\\ude04"'`,
  ),
  of('jsonb', "'-0'", "'0.10'", `'"\\\\u0000"'`, `'[[[[]]]]'`, `'123456789012345678901234567890e50'`),
  of('bytea', "'\\x5c78'", "'abc\\\\000'", `E'\\\\047\\\\134'`),
  of('interval', "'1 day -24:00:00'", "'-1 mons +30 days'", "'2147483647 days'"),
  of('timestamp', "'0001-01-01 00:00:00 BC'", "'1999-12-31 23:59:59.999999'", "'10000-01-01'"),
  of('date', "'10000-01-01'", "'0001-01-01'", "'1582-10-10'"),
  of('uuid', "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"),
  of('tsquery', "'!(a & b) | ''x y'':*'", "''"),
  of('txid_snapshot', "'1:9223372036854775807:'"),
  of('more.inner_part', `'("a ""b"" \\\\ ,",5)'`, "'(,)'", `'("",)'`, `E'("line\\nbreak",)'`),
  of(
    'more.outer_part',
    `ROW('n', ROW('x,"y', NULL), ARRAY[ROW(NULL, 1), NULL, ROW('()', 2)]::more.inner_part[], 'it''s fine')`,
    "'(,,,)'",
    `ROW(NULL, NULL, '{}', '')`,
  ),
  of('more.outer_part[]', `ARRAY[ROW('n', ROW('x', 1), NULL, NULL)::more.outer_part, NULL]`),
  of('more.numbers', "'{1,NULL,3}'", "'{}'", "'[5:6]={1,2}'"),
  of('more.short', "'abcde'", "''", "'ab   '"),
  of('more.code', "'ab'", "''"),
  of('more.text_range', `'["a,b","c""d")'`, "'empty'", "'[,z]'"),
  of(`more."Odd ""type"".name"`, "'a'", "'A'", "' '"),
  of(`more."Odd ""type"".name"[]`, `'{" ",A}'`),
  since(11, 'more.numbers[]', `ARRAY['{1,2}'::more.numbers, '{}']`),
  since(11, 'more.part_domain', `'("x y",1)'`),
  since(11, 'more.short[]', "'{abc,NULL}'"),
  since(14, 'more.time_ranges', "'{[01:00,02:00),[24:00,24:00]}'", "'{}'"),
  since(14, 'more.time_range[]', `'{"[01:00,02:00)",empty}'`),
  since(14, 'datemultirange', "'{[-infinity,infinity]}'", "'{(,)}'"),
  since(14, 'int8multirange[]', `'{"{[1,3),[5,9)}","{}"}'`),
  since(14, 'pg_snapshot[]', `'{10:20:10}'`),
];

export const EXTENSION_SAMPLES: readonly BoundedSample[] = [
  of('ext.hstore', `'a=>1, "b c"=>NULL, "\\"q\\""=>"", "=>"=>",,"'`, "''"),
  of('ext.citext', "'MiXed'", "''", "'Straße 🐘'"),
  of('ext.ltree', "'Top.Science.Astronomy'", "''"),
  of('ext.lquery', "'*.Science@.!pics.*{1,}'"),
  of('ext.ltxtquery', "'Europe & Russia*@ & !Transportation'"),
  of('ext.cube', "'(0.1,-0,1e300),(1,2,3)'", "'(NaN)'", "'()'"),
  of('ext.seg', "'1.5 .. 2.50'", "'~3'", "'< 10.00'"),
  of('ext.isbn13', "'978-0-393-04002-9'"),
  of('ext.ean13', "'4006381333931'"),
  of('ext.issn', "'1436-4522'"),
  of('ext.hstore[]', `ARRAY['a=>"b,c"'::ext.hstore, NULL]`),
  of('ext.citext[]', "'{A,a}'"),
];
