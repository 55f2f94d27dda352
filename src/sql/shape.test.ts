import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openWorld, type World } from '../../test/adversarial/effects/world.ts';
import { analyse, openAnalyser } from './analyse.ts';
import { loadParser, parse } from './parse.ts';
import { immaterialNumbers, shapeOf } from './shape.ts';

let world: World;
beforeAll(async () => {
  await loadParser();
  world = await openWorld();
});
afterAll(() => world.stop());

test('only plain whole numbers are replaced', () => {
  expect(shapeOf('select a1 from t where id = 42 and b2 in (1,2)')).toEqual({
    key: 'select a1 from t where id = ? and b2 in (?,?)',
    numbers: 3,
  });
});

test.each([
  "select 'x' where id = 1",
  'select "a" where id = 1',
  'select $1 where id = 1',
  'select 1 -- x',
  'select 1 /* x */',
  'select 1.5',
  'select 1e5',
  'select 0x1f',
  'select 1_000',
  'select 12345678901',
  'select é where id = 1',
  'select .5',
  'select 1a',
  'select a from t',
  'select ? where id = 1',
  'select \\1',
])('concedes: %s', (sql) => expect(shapeOf(sql)).toBeUndefined());

test.each([
  ['select * from t where id = 1', 1],
  ['select * from t where id in (1, 2) and a between 3 and 4', 4],
  ['insert into t values (1, 2), (3, 4)', 4],
  ['update t set a = a + 1, b = 2 where id = -3', 3],
  ['delete from t where id >= 5', 1],
])('%s: numbers do not matter', (sql, count) => expect(immaterialNumbers(parse(sql)[0]!.tree)).toBe(count));

test.each([
  'select * from t order by 1',
  'select a from t group by 1',
  'select * from t limit 1',
  'select * from t offset 1',
  'select f(1)',
  'select 1',
  'delete from t where 1 = 1',
  'delete from t where id = 1 or 2 = 2',
  'delete from t where id in (id, 1) and 3 < 4',
  'select a[1] from t',
  'select * from t where f(id) = 1',
  'update t set a = f(1)',
  'insert into t select 1',
  'insert into t values (f(1))',
  'select distinct on (1) a from t',
  'set statement_timeout = 1',
  'select * from generate_series(1, 2)',
  'delete from t where id = 1 + 1',
  'select * from t fetch first 1 rows only',
  'select * from t where a = 1 and b = 1::int',
])('%s: numbers may matter', (sql) => expect(immaterialNumbers(parse(sql)[0]!.tree)).toBeUndefined());

test('a number inside a type or a bound is counted as one that is not understood', () => {
  const sql = 'select * from customers where id = 5 and cast(name as varchar(3)) is not null';
  const shape = shapeOf(sql)!;
  expect(immaterialNumbers(parse(sql)[0]!.tree)).not.toBe(shape.numbers);
});

// The heart of it: whatever is served by shape equals what a full reading of that very text gives.
const templates = [
  'select * from orders where id = # and customer_id in (#, #)',
  'delete from orders where id = #',
  'delete from orders where # = #',
  'delete from orders where id = # or # = #',
  'update orders set amount = # where id = #',
  'update orders set amount = amount - # where id between # and #',
  'insert into orders values (#, #, #)',
  'select id, amount from orders where id > # order by # limit #',
  'select * from customers where id = # and # < #',
  'select id from orders where customer_id = # group by #',
  'select harmless(#) from orders where id = #',
  'select * from orders where -# = id',
  'select * from orders where id = - #',
  'delete from orders where id in (id, #)',
  'select email from customers where id = #',
  'select * from measures where value = #',
];

test('served by shape or read in full: the same analysis', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...templates),
      fc.array(fc.oneof(fc.nat({ max: 12 }), fc.nat({ max: 2_000_000_000 })), { minLength: 12, maxLength: 12 }),
      (template, numbers) => {
        const analyser = openAnalyser();
        let index = 0;
        const fill = () => template.replaceAll('#', () => String(numbers[index++ % numbers.length]));
        const [first, second] = [fill(), fill()];
        try {
          analyser.analyse(first, world.scope);
        } catch {
          return;
        }
        const read = (run: () => unknown) => {
          try {
            return run();
          } catch (error) {
            return String(error);
          }
        };
        expect(read(() => plain(analyser.analyse(second, world.scope)))).toEqual(
          read(() => plain(analyse(second, world.scope))),
        );
      },
    ),
    { numRuns: 200 },
  );
});

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, inner: unknown) => (inner instanceof Set ? [...inner] : inner)));
}

test('a repeated shape is the same meaning; different numbers that matter are not', () => {
  const analyser = openAnalyser();
  const meaning = (sql: string) => analyser.analyse(sql, world.scope).meaning;
  expect(meaning('select name from customers where id = 1')).toBe(meaning('select name from customers where id = 2'));
  expect(analyser.analyse('select name from customers where id = 3', world.scope).text).toBe(
    'select name from customers where id = 3',
  );
  expect(meaning('delete from orders where id = 1').effects[0]?.attributes).toEqual({ hasWhere: true });
  expect(meaning('delete from orders where 1 = 1').effects[0]?.attributes).toEqual({ hasWhere: false });
});
