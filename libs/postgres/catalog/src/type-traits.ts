/** A type and the types that it is made of. */
export interface TypeFacts {
  readonly name: string;
  readonly isBuiltIn: boolean;
  readonly kind: 'array' | 'base' | 'composite' | 'domain' | 'enum' | 'multirange' | 'range';
  /** OIDs: the element of an array, the base of a domain, the attributes of a composite type. */
  readonly parts: readonly string[];
  /** A default btree or hash operator class, its own or that of a type it coerces to without a function. */
  readonly hasOperatorClass: boolean;
}

type TypesByOid = ReadonlyMap<number, TypeFacts>;

/**
 * Built-in types whose binary form is the same on every server and holds no OID that a server gave out.
 * The reg* types are missing as they are OIDs of objects, tsquery as no server reads the empty one that it has written,
 * tsvector as PostgreSQL 10 reads one that it then finds unequal to itself; anything not listed goes as text.
 */
const BINARY_SAFE_BASE_TYPES: ReadonlySet<string> = new Set(
  `bool int2 int4 int8 float4 float8 numeric money oid text varchar bpchar char name bytea uuid
   date time timetz timestamp timestamptz interval json jsonb jsonpath xml inet cidr macaddr macaddr8 bit varbit
   point line lseg box path polygon circle pg_lsn
   int4range int8range numrange daterange tsrange tstzrange
   int4multirange int8multirange nummultirange datemultirange tsmultirange tstzmultirange`.split(/\s+/),
);

/** True when `=` has a meaning for the type, so that rows can be found and compared by it. */
export function hasEquality(oid: number, types: TypesByOid): boolean {
  const type = types.get(oid);
  if (!type) return false;
  switch (type.kind) {
    case 'array':
    case 'composite':
    case 'domain':
      return type.parts.every((part) => hasEquality(Number(part), types));
    case 'enum':
    case 'range':
    case 'multirange':
      return true;
    case 'base':
      return type.hasOperatorClass;
  }
}

/** True when the binary form of a value means the same value on another server, whatever OIDs it gave to its types. */
export function isBinaryCopySafe(oid: number, types: TypesByOid): boolean {
  const type = types.get(oid);
  if (!type) return false;
  switch (type.kind) {
    case 'enum':
      return true;
    case 'domain':
      return type.parts.every((part) => isBinaryCopySafe(Number(part), types));
    // The header of a binary array holds the OID of its element type, so only built-in elements travel.
    case 'array':
      return type.parts.every(
        (part) => types.get(Number(part))?.isBuiltIn === true && isBinaryCopySafe(Number(part), types),
      );
    case 'composite':
      return false;
    case 'range':
    case 'multirange':
    case 'base':
      return type.isBuiltIn && BINARY_SAFE_BASE_TYPES.has(type.name);
  }
}
