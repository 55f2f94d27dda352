// PostgreSQL types by OID (src/include/catalog/pg_type.dat), as far as a mask keeps them: what they hold and their
// neutral value in text and binary format.

export type TypeKind =
  | 'text'
  | 'json'
  | 'jsonb'
  | 'xml'
  | 'int2'
  | 'int4'
  | 'int8'
  | 'float4'
  | 'float8'
  | 'numeric'
  | 'money'
  | 'bool'
  | 'date'
  | 'time'
  | 'timetz'
  | 'timestamp'
  | 'timestamptz'
  | 'interval'
  | 'uuid'
  | 'inet'
  | 'cidr'
  | 'macaddr'
  | 'macaddr8'
  | 'bytea'
  | 'other';

const kinds: ReadonlyMap<number, TypeKind> = new Map<number, TypeKind>([
  [25, 'text'],
  [1043, 'text'],
  [1042, 'text'],
  [19, 'text'],
  [705, 'text'],
  [114, 'json'],
  [3802, 'jsonb'],
  [142, 'xml'],
  [21, 'int2'],
  [23, 'int4'],
  [20, 'int8'],
  [700, 'float4'],
  [701, 'float8'],
  [1700, 'numeric'],
  [790, 'money'],
  [16, 'bool'],
  [1082, 'date'],
  [1083, 'time'],
  [1266, 'timetz'],
  [1114, 'timestamp'],
  [1184, 'timestamptz'],
  [1186, 'interval'],
  [2950, 'uuid'],
  [869, 'inet'],
  [650, 'cidr'],
  [829, 'macaddr'],
  [774, 'macaddr8'],
  [17, 'bytea'],
]);

export function kindOf(type: number | undefined): TypeKind {
  return (type === undefined ? undefined : kinds.get(type)) ?? 'other';
}

/** char(n), which the server fills up with blanks. */
export function isPadded(type: number | undefined): boolean {
  return type === 1042;
}

/** Array types of the kinds above, and their element types. */
export const arrayElements: ReadonlyMap<number, number> = new Map([
  [1009, 25],
  [1015, 1043],
  [1014, 1042],
  [1003, 19],
  [199, 114],
  [3807, 3802],
  [143, 142],
  [1005, 21],
  [1007, 23],
  [1016, 20],
  [1021, 700],
  [1022, 701],
  [1231, 1700],
  [791, 790],
  [1000, 16],
  [1182, 1082],
  [1183, 1083],
  [1270, 1266],
  [1115, 1114],
  [1185, 1184],
  [1187, 1186],
  [2951, 2950],
  [1041, 869],
  [651, 650],
  [1040, 829],
  [775, 774],
  [1001, 17],
]);

export interface Neutral {
  readonly text: Buffer;
  readonly binary: Buffer;
}

const zeros = (text: string, length: number): Neutral => ({ text: Buffer.from(text), binary: Buffer.alloc(length) });

const days = Buffer.alloc(4);
days.writeInt32BE(-10957);
const micros = Buffer.alloc(8);
micros.writeBigInt64BE(-946684800000000n);

/** Binary dates count from 2000-01-01; an address is family, bits, is-cidr, length, bytes. */
export const constants: ReadonlyMap<TypeKind, Neutral> = new Map<TypeKind, Neutral>([
  ['int2', zeros('0', 2)],
  ['int4', zeros('0', 4)],
  ['int8', zeros('0', 8)],
  ['float4', zeros('0', 4)],
  ['float8', zeros('0', 8)],
  ['numeric', zeros('0', 8)],
  ['money', zeros('$0.00', 8)],
  ['bool', zeros('f', 1)],
  ['date', { text: Buffer.from('1970-01-01'), binary: days }],
  ['time', zeros('00:00:00', 8)],
  ['timetz', zeros('00:00:00+00', 12)],
  ['timestamp', { text: Buffer.from('1970-01-01 00:00:00'), binary: micros }],
  ['timestamptz', { text: Buffer.from('1970-01-01 00:00:00+00'), binary: micros }],
  ['interval', zeros('00:00:00', 16)],
  ['uuid', zeros('00000000-0000-0000-0000-000000000000', 16)],
  ['inet', { text: Buffer.from('0.0.0.0'), binary: Buffer.from([2, 32, 0, 4, 0, 0, 0, 0]) }],
  ['cidr', { text: Buffer.from('0.0.0.0/32'), binary: Buffer.from([2, 32, 1, 4, 0, 0, 0, 0]) }],
  ['macaddr', zeros('00:00:00:00:00:00', 6)],
  ['macaddr8', zeros('00:00:00:00:00:00:00:00', 8)],
  ['bytea', { text: Buffer.from('\\x'), binary: Buffer.alloc(0) }],
]);
