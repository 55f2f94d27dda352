import { describe, expect, test } from 'vitest';
import { readCatalogue } from './catalogue.ts';
import { findRelation, findRoutines, findType, fitting, nameFrom, searchOrder } from './resolve.ts';

const schemas = [
  ['1', 'pg_catalog'],
  ['2', 'public'],
  ['3', 'own'],
  ['4', 'pg_temp_3'],
  ['5', 'pg_temp_4'],
  ['6', 'admin'],
];
let oid = 100;
const relation = (schema: string, name: string) => [
  String(oid++),
  schema,
  name,
  'r',
  'false',
  'false',
  'false',
  'admin',
  '0',
  'p',
  '',
];
const routine = (schema: string, name: string, args: string, defaults: string, variadic: string) => [
  String(oid++),
  schema,
  name,
  'f',
  'i',
  'false',
  '25',
  args,
  String(args.split(' ').length),
  defaults,
  variadic,
  '',
  '',
  '',
  'sql',
  '',
  '',
  'false',
  'false',
  '',
];
const catalogue = readCatalogue(
  [
    [['']],
    schemas,
    [
      relation('1', 'pg_class'),
      relation('2', 't'),
      relation('3', 't'),
      relation('4', 'mine'),
      relation('5', 'theirs'),
      relation('6', 'home'),
      relation('2', 'home'),
      relation('2', 'pg_class'),
      relation('4', 'shadowed'),
      relation('2', 'shadowed'),
    ],
    [],
    [],
    [
      ['900', '1', 'text', 'b', '0', '0', '0', '0', 'false'],
      ['901', '2', 'text', 'b', '0', '0', '0', '0', 'false'],
    ],
    [
      routine('1', 'f', '25', '0', 'false'),
      routine('2', 'f', '25 25', '1', 'false'),
      routine('2', 'f', '1009', '0', 'true'),
      routine('4', 'f', '25', '0', 'false'),
    ],
    [],
    [],
    [],
  ],
  [],
);
const scope = (...searchPath: string[]) => ({ catalogue, searchPath, role: 'admin' });
const where = (path: readonly string[], name: string, schema?: string) => {
  const found = findRelation(scope(...path), schema === undefined ? { name } : { schema, name });
  return found && `${found.schema}.${found.name}`;
};

describe('relations', () => {
  test.each([
    ['the first schema of the path', ['own', 'public'], 't', undefined, 'own.t'],
    ['the next one', ['public', 'own'], 't', undefined, 'public.t'],
    ['pg_catalog is first unless it is listed', ['public'], 'pg_class', undefined, 'pg_catalog.pg_class'],
    ['pg_catalog where it is listed', ['public', 'pg_catalog'], 'pg_class', undefined, 'public.pg_class'],
    ['the role’s own schema', ['$user', 'public'], 'home', undefined, 'admin.home'],
    ['a schema that is written', ['public'], 't', 'own', 'own.t'],
    ['nothing', ['public'], 'nope', undefined, undefined],
    ['not in the path', ['own'], 'home', undefined, undefined],
    ['the temporary schema first', ['public', 'pg_temp_3'], 'shadowed', undefined, 'pg_temp_3.shadowed'],
    [
      'the temporary schema where it is placed',
      ['public', 'pg_temp', 'pg_temp_3'],
      'shadowed',
      undefined,
      'public.shadowed',
    ],
    ['pg_temp is the session’s own', ['pg_temp_3'], 'mine', 'pg_temp', 'pg_temp_3.mine'],
    ['not another session’s', ['public', 'pg_temp_3'], 'theirs', undefined, undefined],
    ['pg_temp without one', ['public'], 'mine', 'pg_temp', undefined],
    ['a bare pg_temp that could shadow leaves the name open', ['pg_temp', 'public'], 'shadowed', undefined, undefined],
  ] as const)('%s', (_name, path, name, schema, expected) => expect(where(path, name, schema)).toBe(expected));
});

test('every overload that could be meant, never of the temporary schema unless it is written', () => {
  expect(findRoutines(scope('public', 'pg_temp_3'), { name: 'f' }).map((found) => found.schema)).toEqual([
    'pg_catalog',
    'public',
    'public',
  ]);
  expect(findRoutines(scope('public'), { schema: 'pg_temp', name: 'f' }).map((found) => found.schema)).toEqual([
    'pg_temp_3',
  ]);
  expect(findRoutines(scope('own'), { schema: 'public', name: 'f' }).length).toBe(2);
  const all = findRoutines(scope('public'), { name: 'f' });
  expect([0, 1, 2, 5].map((count) => fitting(all, count).length)).toEqual([1, 3, 2, 1]);
});

test('types, orders and names', () => {
  expect(findType(scope('public'), { name: 'text' })?.oid).toBe(900);
  expect(findType(scope('public', 'pg_catalog'), { name: 'text' })?.oid).toBe(901);
  expect(searchOrder(scope('$user', 'public'))).toEqual(['pg_catalog', 'admin', 'public']);
  const parts = (...words: string[]) => words.map((sval) => ({ String: { sval } }));
  expect(nameFrom(parts('db', 's', 'n'))).toEqual({ schema: 's', name: 'n' });
  expect(nameFrom(parts('n'))).toEqual({ name: 'n' });
  expect(nameFrom(parts('a', 'b', 'c', 'd'))).toBeUndefined();
  expect(nameFrom([])).toBeUndefined();
});
