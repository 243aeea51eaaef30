/** A type and values of it, as SQL literals, chosen where conversions go wrong. */
export interface TypeSample {
  readonly type: string;
  /** First major that has it; default 10. */
  readonly since?: number;
  readonly values: readonly string[];
  /** Values that only newer majors accept. */
  readonly moreValues?: readonly { readonly since: number; readonly value: string }[];
}

const of = (type: string, ...values: string[]): TypeSample => ({ type, values });
const since = (major: number, type: string, ...values: string[]): TypeSample => ({ type, since: major, values });

const NUMBERS: readonly TypeSample[] = [
  of('boolean', "'t'", "'f'"),
  of('smallint', "'-32768'", "'32767'", "'0'"),
  of('integer', "'-2147483648'", "'2147483647'", "'0'"),
  of('bigint', "'-9223372036854775808'", "'9223372036854775807'", "'9007199254740993'"),
  of('real', "'NaN'", "'Infinity'", "'-Infinity'", "'1.17549435e-38'", "'3.4028235e38'", "'-0'", "'0.1'"),
  of('double precision', "'NaN'", "'Infinity'", "'-Infinity'", "'5e-324'", "'1.7976931348623157e308'", "'-0'", "'0.1'"),
  {
    type: 'numeric',
    values: [
      "'NaN'",
      "'0.000'",
      "'-0.10'",
      "'123456789012345678901234567890.123456789012345678901234567890'",
      "('1' || repeat('0', 1000))",
      "'1e-1000'",
    ],
    moreValues: [
      { since: 14, value: "'Infinity'" },
      { since: 14, value: "'-Infinity'" },
    ],
  },
  of('numeric(12, 3)', "'-999999999.999'", "'0.001'"),
  since(15, 'numeric(3, -2)', "'12300'", "'-99900'"),
  of('money', "'-92233720368547758.08'", "'92233720368547758.07'", "'0.01'"),
  of('oid', "'4294967295'", "'0'"),
];

const TEXTS: readonly TypeSample[] = [
  of(
    'text',
    "''",
    "' blank '",
    "E'tab\\tline\\nreturn\\rback\\\\slash'",
    "'\\N'",
    "'\\.'",
    "'NULL'",
    "'🐘 ünïcödé 漢字'",
    "E'\\u0001\\u007f'",
    "repeat('long ', 100000)",
  ),
  of('varchar(10)', "''", "'ten chars!'", "'🐘🐘🐘🐘🐘🐘🐘🐘🐘🐘'"),
  of('character(5)', "'a'", "'     '", "'ab  c'"),
  of('bpchar', "'trailing   '", "''"),
  {
    type: '"char"',
    values: ["'a'", "''"],
    moreValues: [
      { since: 16, value: "'\\377'" },
      { since: 16, value: "'\\200'" },
    ],
  },
  of('name', "''", "'sixty-three bytes long name, which is the most a name can have'"),
  of('bytea', "''", "'\\x00'", "'\\x'", "'\\xdeadbeef00ff5c'", "decode(repeat('00ff', 50000), 'hex')"),
  of(
    'json',
    `'{"b": 1,   "a": 2, "b": 3}'`,
    "'12345678901234567890.123456789012345678901234567890'",
    `'"\\u00e9\\n"'`,
    "'null'",
    "'[]'",
    "'1e400'",
  ),
  of(
    'jsonb',
    `'{"b": 1, "a": [1, 2, {"c": null}]}'`,
    "'12345678901234567890.1234567890'",
    `'"\\u00e9\\n"'`,
    "'null'",
    "'{}'",
    "'1.0'",
  ),
  of('xml', "'<a>b&amp;c</a>'", "'text only'", "''"),
  of('uuid', "'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'"),
  of('tsvector', `'a:1A b:2,3C ''it''''s'':4'`, "''"),
  of('tsquery', "'a & !b | c:*AB'", "'a <2> b'"),
  since(12, 'jsonpath', `'$.a[*] ? (@ > 2)'`, `'strict $."b c"'`),
  of('bit(5)', "B'10101'", "B'00000'"),
  of('bit varying', "B''", "B'1'", "B'1111111111111111111111111111111111'"),
  of('bit varying(8)', "B'101'", "B''"),
];

const TIMES: readonly TypeSample[] = [
  of('date', "'infinity'", "'-infinity'", "'4713-01-01 BC'", "'0001-12-31 BC'", "'5874897-12-31'", "'2024-02-29'"),
  of('time', "'00:00:00'", "'24:00:00'", "'23:59:59.999999'"),
  of('time(3)', "'12:34:56.789'", "'24:00:00'"),
  of('time with time zone', "'00:00:00+15:59'", "'24:00:00-15:59'", "'12:34:56.123456+05:45'"),
  of(
    'timestamp',
    "'infinity'",
    "'-infinity'",
    "'4713-11-24 00:00:00 BC'",
    "'294276-12-31 23:59:59.999999'",
    "'2024-03-31 02:30:00.000001'",
  ),
  of(
    'timestamp with time zone',
    "'infinity'",
    "'-infinity'",
    "'4713-11-25 00:00:00+00 BC'",
    "'294276-12-31 23:59:59.999999+00'",
    "'1900-01-01 00:00:00+05:41:16'",
    "'2024-10-27 02:30:00.123456+02'",
  ),
  of('timestamp(0)', "'2024-01-01 00:00:01'", "'1999-12-31 23:59:59'"),
  {
    type: 'interval',
    values: [
      "'1 year -2 mons +3 days -04:05:06.789'",
      "'0'",
      "'-178000000 years'",
      "'178000000 years'",
      "'1 mon'",
      "'30 days'",
      "'720 hours'",
      "'0.000001 s'",
    ],
    moreValues: [
      { since: 17, value: "'infinity'" },
      { since: 17, value: "'-infinity'" },
    ],
  },
  of('interval day to second(3)', "'1 12:34:56.789'", "'-1 00:00:00.001'"),
];

const PLACES: readonly TypeSample[] = [
  of('point', "'(0.1,-0)'", "'(1e308,-1e-308)'", "'(NaN,Infinity)'"),
  of('line', "'{1,-1,0.3}'", "'{0,-1,5}'"),
  of('lseg', "'[(0,0),(1,0.1)]'"),
  of('box', "'(1,1),(0,0.2)'"),
  of('path', "'[(0,0),(1,1),(2,0.7)]'", "'((0,0),(1,1),(2,0))'"),
  of('polygon', "'((0,0),(1,1),(2,0.1))'"),
  of('circle', "'<(0.1,0.2),3.3>'", "'<(0,0),0>'"),
  of('inet', "'192.168.0.1/24'", "'::1'", "'2001:db8::ff/64'", "'0.0.0.0/0'"),
  of('cidr', "'10.0.0.0/8'", "'::/0'", "'192.168.0.1/32'"),
  of('macaddr', "'08:00:2b:01:02:03'"),
  of('macaddr8', "'08:00:2b:01:02:03:04:05'"),
  of('pg_lsn', "'0/0'", "'FFFFFFFF/FFFFFFFF'", "'16/B374D848'"),
  of('txid_snapshot', "'10:20:10,14,15'"),
  since(13, 'pg_snapshot', "'10:20:10,14,15'"),
  since(13, 'xid8', "'18446744073709551615'", "'0'"),
  of('tid', "'(4294967295,65535)'", "'(0,1)'"),
  of('regclass', "'pg_catalog.pg_class'"),
  of('regtype', "'integer[]'", "'timestamp with time zone'"),
];

const RANGES: readonly TypeSample[] = [
  of('int4range', "'empty'", "'[1,10)'", "'(,)'", "'(,5]'"),
  of('int8range', "'[-9223372036854775808,9223372036854775807)'", "'empty'"),
  of('numrange', "'[0.10,1.000]'", "'(1e-50,)'"),
  of('daterange', "'[-infinity,infinity]'", "'[2024-02-29,)'"),
  of('tsrange', `'["2024-01-01 00:00:00.000001",infinity)'`, "'empty'"),
  of('tstzrange', `'("2024-10-27 02:30:00+02","2024-10-27 02:30:00+01"]'`, "'(,)'"),
  since(14, 'int4multirange', "'{}'", "'{[1,3),[5,9),[20,)}'"),
  since(14, 'nummultirange', "'{[0.1,0.20],(5,)}'"),
  since(14, 'tstzmultirange', `'{["2024-01-01 00:00:00+00","2024-02-01 00:00:00+00")}'`),
  of('every.float_range', "'[0.1,0.3)'", "'[NaN,NaN]'"),
];

const ARRAYS: readonly TypeSample[] = [
  of('integer[]', "'{}'", "'{1,NULL,-3}'", "'{{1,2},{3,4}}'", "'[-1:1]={1,2,3}'", "'[0:1][2:3]={{1,2},{3,4}}'"),
  of('text[]', "'{}'", `'{"","NULL",NULL,"a,b","{}","\\"","\\\\"," "}'`, "'{{🐘},{b}}'"),
  of('bytea[]', `ARRAY['\\x00'::bytea, '\\x5c']`),
  of('numeric[]', "'{NaN,1.10,NULL}'"),
  of('double precision[]', "'{NaN,-0,0.1,Infinity}'"),
  of('boolean[]', "'{t,f,NULL}'"),
  of('box[]', "'{(1,1),(0,0);(3,3),(2,2)}'"),
  of('jsonb[]', `ARRAY['{"a": "b,c"}'::jsonb, 'null']`),
  of('timestamp with time zone[]', `'{infinity,"2024-01-01 00:00:00.000001+00"}'`),
  of('daterange[]', `'{"[2024-01-01,2024-02-01)",empty}'`),
  of('uuid[]', "'{00000000-0000-0000-0000-000000000000}'"),
];

const USER_DEFINED: readonly TypeSample[] = [
  of('every.mood', "'sad'", "'it''s fine'", "'ünïcode 🐘'", "''"),
  of('every.mood[]', `'{"so so","",NULL}'`, "'{}'"),
  of('every.positive', "'0.10'", "'1e30'"),
  of('every.label', "'none'", "''"),
  of(
    'every.address',
    `'("High ""St"", 1",5,"2024-01-01 00:00:00+00","{a,""b c""}")'`,
    "'(,,,)'",
    `'("",0,infinity,{})'`,
  ),
  of('every.address[]', `ARRAY['(a,1,,)'::every.address, NULL, '("b,c",2,,"{}")']`),
  since(11, 'every.street', "'(street,1,,)'"),
];

export const TYPE_SAMPLES: readonly TypeSample[] = [
  ...NUMBERS,
  ...TEXTS,
  ...TIMES,
  ...PLACES,
  ...RANGES,
  ...ARRAYS,
  ...USER_DEFINED,
];
