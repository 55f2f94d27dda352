import { afterAll, beforeAll, expect, test } from 'vitest';
import { openWorld, type World } from '../../test/adversarial/effects/world.ts';
import { verifies } from '../../test/requirements.ts';
import { Fault } from '../domain/fault.ts';
import type { Analysis, Scope } from './analysis.ts';
import { analyse, openAnalyser } from './analyse.ts';
import { loadParser, type SyntaxFault } from './parse.ts';

let world: World;
beforeAll(async () => {
  await loadParser();
  world = await openWorld();
});
afterAll(() => world.stop());

const read = (sql: string, scope: Partial<Scope> = {}): Analysis =>
  openAnalyser().analyse(sql, { ...world.scope, ...scope });
function fault(sql: string): Fault {
  try {
    read(sql);
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error(`not refused: ${sql}`);
}

test.each(['selec 1', 'select é fro x y', "select 'é' fro m where x =", 'select 1 +', "insert into t values ('x'"])(
  'a syntax error is told as the server tells it: %s',
  async (sql) => {
    const server = await world.client
      .query(sql)
      .catch((error: { message: string; code: string; position: string }) => error);
    const cause = fault(sql).cause as SyntaxFault;
    expect(cause).toEqual({
      sqlstate: (server as { code: string }).code,
      message: (server as { message: string }).message,
      position: Number((server as { position: string }).position),
    });
  },
);

test('the same text is the same analysis; another catalogue or search path is not', () => {
  const analyser = openAnalyser();
  const sql = "select * from orders where status = 'x'";
  const one = analyser.analyse(sql, world.scope);
  expect(analyser.analyse(sql, world.scope)).toBe(one);
  expect(analyser.analyse(sql, { ...world.scope, searchPath: ['pg_catalog', 'private'] })).not.toBe(one);
  expect(analyser.analyse(sql, { ...world.scope, catalogue: { ...world.scope.catalogue } })).not.toBe(one);
  expect(analyser.analyse(sql, { ...world.scope, role: 'private' })).not.toBe(one);
  // Equal meanings of different texts are one object.
  expect(analyser.analyse("select * from orders where status = 'other'", world.scope).meaning).toBe(one.meaning);
});

test(verifies('bounded', 'the analyser forgets: what it keeps has a limit'), () => {
  const analyser = openAnalyser({ maxEntries: 4 });
  const first = analyser.analyse("select 'a0'", world.scope);
  for (let index = 1; index < 20; index++) analyser.analyse(`select 'a${index}'`, world.scope);
  expect(analyser.analyse("select 'a0'", world.scope)).not.toBe(first);
});

test('EXECUTE has the effects and columns of what was prepared, under the names of now', () => {
  const analyser = openAnalyser();
  const prepared = analyser.analyse('prepare p(int) as select name from customers where id = $1', world.scope);
  const { name, analysis } = prepared.parts[0]!.changes.prepared!;
  expect(prepared.meaning.effects).toEqual([{ action: 'sql:session', resource: {}, attributes: { prepare: 'p' } }]);
  expect(prepared.barrier).toBe(true);
  const scope = { ...world.scope, prepared: new Map([[name, analysis]]) };
  const executed = analyser.analyse('execute p(1)', scope);
  expect(executed.meaning.effects).toEqual([
    { action: 'sql:read', resource: { schema: 'public', relation: 'customers' } },
  ]);
  expect(executed.meaning.results[0]?.map((output) => output.name)).toEqual(['name']);
  // The server reads the text anew when the search path changed.
  const moved = analyser.analyse('execute p(1)', { ...scope, searchPath: ['pg_catalog', 'private'] });
  expect(moved.meaning.effects[0]?.attributes).toEqual({ unresolved: true });
  // The same text after another PREPARE is another statement.
  const other = analyser.analyse('prepare p as delete from orders', world.scope).parts[0]!.changes.prepared!.analysis;
  expect(
    analyser.analyse('execute p(1)', { ...scope, prepared: new Map([['p', other]]) }).meaning.effects[0]?.action,
  ).toBe('sql:delete');
});

test('a statement prepared through the protocol can be executed by name', () => {
  const analyser = openAnalyser();
  const analysis = analyser.analyse('delete from orders where id = $1', world.scope);
  const executed = analyser.analyse('execute s1(1)', { ...world.scope, prepared: new Map([['s1', analysis]]) });
  expect(executed.meaning.effects).toEqual(analysis.meaning.effects);
});

test('FETCH returns what the cursor selects', () => {
  const { name, analysis } = read('declare c cursor for select id, email from customers').parts[0]!.changes.cursor!;
  const scope = { cursors: new Map([[name, analysis]]) };
  const fetched = read('fetch 5 from c', scope);
  expect(fetched.meaning.effects).toContainEqual({
    action: 'sql:read',
    resource: { schema: 'public', relation: 'customers' },
  });
  expect(fetched.meaning.results[0]?.[1]?.sources.map((source) => source.column)).toEqual(['email']);
  expect(read('move 5 in c', scope).meaning.results).toEqual([]);
});

test('probes, copies and results of labelled columns', () => {
  const has = (sql: string, action: string, column: string) =>
    read(sql).meaning.effects.some((effect) => effect.action === action && effect.resource.column === column);
  expect(has("select 1 from customers where email like 'a%'", 'sql:probe', 'email')).toBe(true);
  expect(has("select 1 from customers where email = 'a'", 'sql:probe', 'email')).toBe(false);
  expect(has('insert into audit(what) select email from customers', 'sql:derive', 'email')).toBe(true);
  expect(has("copy customers to '/tmp/x'", 'sql:derive', 'email')).toBe(true);
  expect(
    has(
      'do $$ declare v text; begin select email into v from customers; insert into audit(what) values (v); end $$',
      'sql:derive',
      'email',
    ),
  ).toBe(true);
  expect(read('select email from customers').quotesLabelled).toBe(true);
  expect(read('select id from orders').quotesLabelled).toBe(false);
});

test(verifies('never-raw-at-rest', 'literals of labelled columns and passwords are not in the text to record'), () => {
  expect(read("select id from customers where email = 'a@x' and city = 'Lund'").text).not.toContain('a@x');
  expect(read("select id from customers where email = 'a@x' -- a@x").text).not.toContain('a@x');
  expect(read("insert into customers(id, name, email) values (1, 'n', 'a@x')").text).not.toContain('a@x');
  expect(read("update customers set email = 'a@x' where id = 1").text).not.toContain('a@x');
  expect(read("do $$ begin update customers set email = 'a@x'; end $$").text).not.toContain('a@x');
  expect(read("create role r password 'hunter2'").text).toBe("create role r password '***'");
  expect(read("alter role r password e'hunter\\x32'").text).not.toContain('hunter');
  expect(read("create user mapping for r server s options (password 'hunter2')").text).not.toContain('hunter2');
  expect(read("create subscription s connection 'password=hunter2' publication p").text).not.toContain('hunter2');
  expect(read("select dblink_connect('password=hunter2')").text).not.toContain('hunter2');
  expect(read("insert into not_known_yet values ('a@x')").text).not.toContain('a@x');
  expect(read("select id from orders where status = 'paid'").text).toContain('paid');
});

test('the work of a mask is not written back to a labelled column', () => {
  for (const sql of [
    "update customers set email = '****' where id = 1",
    "update customers set email = '****@****.example' where id = 1",
    "insert into customers (id, name, email) values (1, 'n', '****1234')",
    "insert into customers (id, name, email) values (1, 'n', '***') on conflict do nothing",
  ])
    expect(() => read(sql), sql).toThrow(/mask/);
  // Elsewhere stars are only stars.
  expect(read("update orders set status = '****' where id = 1").meaning.effects.length).toBeGreaterThan(0);
  expect(read("update customers set name = '****' where id = 1").meaning.effects.length).toBeGreaterThan(0);
  expect(read("select id from customers where email = '****'").meaning.effects.length).toBeGreaterThan(0);
});

test('the literals of EXECUTE are masked as the prepared statement uses them', () => {
  const { analysis } = read('prepare p as select id from customers where email = $1 and id = $2').parts[0]!.changes
    .prepared!;
  expect([...analysis.sensitiveParameters]).toContain(1);
  const { text } = read("execute p('a@x', 7)", { prepared: new Map([['p', analysis]]) });
  expect(text).not.toContain('a@x');
});

test('parameters that meet labelled columns are told', () => {
  expect(read('select id from customers where email = $1').sensitiveParameters.has(1)).toBe(true);
  expect(read('select id from orders where id = $1').sensitiveParameters.size).toBe(0);
});

test('COPY tells its form', () => {
  const out = read(
    "copy (select id, email from customers) to stdout (format csv, header, delimiter ';', null 'N', quote '|')",
  );
  expect(out.parts[0]).toMatchObject({
    result: 0,
    copy: { direction: 'out', format: 'csv', delimiter: ';', nullText: 'N', quote: '|', escape: '|', header: true },
  });
  expect(read('copy customers to stdout').parts[0]?.copy).toMatchObject({
    format: 'text',
    delimiter: '\t',
    nullText: '\\N',
    header: false,
  });
  expect(read('copy customers (id, email) from stdin').parts[0]).toMatchObject({
    copy: { direction: 'in', labelled: [false, true] },
  });
  expect(read('copy customers from stdin').parts[0]?.result).toBeUndefined();
});

test('what a statement changes for the next', () => {
  const changes = (sql: string) => read(sql).parts.map((part) => part.changes);
  expect(changes('set search_path to a, "B c"')).toEqual([{ settings: { search_path: 'a, "B c"' } }]);
  expect(changes('set local lock_timeout = 5')).toEqual([{ settings: { lock_timeout: '5' }, local: true }]);
  expect(changes('reset search_path')).toEqual([{ settings: { search_path: undefined } }]);
  expect(changes('begin; savepoint s; rollback to s; release s; commit; abort')).toEqual(
    ['begin', 'savepoint', 'rollback-to', 'release', 'commit', 'rollback'].map((transaction) => ({ transaction })),
  );
  expect(changes('create table x (id int)')).toEqual([{ catalogue: true }]);
  expect(changes('deallocate all; deallocate p')).toEqual([{ deallocated: {} }, { deallocated: { name: 'p' } }]);
  expect(changes('close c')).toEqual([{ closedCursor: { name: 'c' } }]);
  expect(changes('discard all')).toEqual([{ discard: true, catalogue: true }]);
  for (const sql of [
    'create table x (id int)',
    "set datestyle = 'ISO'",
    'prepare p as select 1',
    'do $$ begin null; end $$',
    'call sweep(1)',
    "select dynamic('x')",
  ]) {
    expect(read(sql).barrier, sql).toBe(true);
  }
  for (const sql of ['select 1', 'begin', 'insert into audit(what) values (1)', 'select harmless(1)'])
    expect(read(sql).barrier, sql).toBe(false);
});

test(
  verifies('understood-or-refused', 'whatever the text, the answer is an analysis or a fault, and the parser works on'),
  () => {
    const pieces = [
      'select ',
      '(',
      ')',
      "'",
      '"',
      '$$',
      'from customers ',
      'where ',
      ';',
      '--',
      '/*',
      '*/',
      '\\',
      'with x as ',
      'delete from orders ',
      '\u202e',
      '$1',
      '::',
      "e'",
      '1e',
      '[',
      '{',
      'case ',
    ];
    let seed = 7;
    const next = () => (seed = (seed * 1103515245 + 12345) % 2147483648);
    for (let round = 0; round < 3000; round++) {
      let sql = '';
      for (let count = next() % 12; count >= 0; count--) sql += pieces[next() % pieces.length];
      try {
        read(sql);
      } catch (error) {
        expect(error, sql).toBeInstanceOf(Fault);
      }
    }
    for (let round = 0; round < 40; round++)
      expect(fault(`select 1${' + 1'.repeat(30_000)}`).code).toBe('statement.not-understood');
    expect(read('select * from orders').meaning.effects).toHaveLength(1);
  },
);

const traceOf = (n: number) =>
  `/*traceparent='00-4bf92f3577b34da6a3ce929d0e0e47${String(n).padStart(2, '0')}-00f067aa0ba902b7-01'*/`;

test('a comment that names a trace changes neither meaning nor record, and costs no second reading', () => {
  const analyser = openAnalyser();
  const plain = analyser.analyse('select email from customers where id = 7', world.scope);
  for (let n = 0; n < 20; n++) {
    const traced = analyser.analyse(
      `select email from customers where id = 7${n % 2 ? ' ' : ''}${traceOf(n)}`,
      world.scope,
    );
    expect(traced.meaning).toBe(plain.meaning);
    expect(traced.text.trimEnd()).toBe('select email from customers where id = 7');
  }
  const text = 'select count(*), max(email) from customers group by id';
  expect(analyser.analyse(`${text}${traceOf(1)}`, world.scope)).toBe(
    analyser.analyse(`${text}${traceOf(2)}`, world.scope),
  );
});

test.each([
  'select *',
  'select 1 -- a remark',
  'select 1 /* open',
  "select 'a",
  "select e'a\\",
  'select "a',
  'select $$a',
  'select $a$a$a',
  'select 1;',
  'select 1; delete from customers',
  'select * from customers order by id using <',
  'select * from customers order by id using >',
  'select 2 *',
  'select /* a */ 1 /* b */',
  "select '/*'",
  "delete from customers where city = '",
  'table customers',
  'values (1)',
  '',
  ';',
])('what stands before such a comment means the same with it: %s', (text) => {
  const one = (sql: string, by: (sql: string) => Analysis) => {
    try {
      const { meaning, parts } = by(sql);
      return JSON.stringify([meaning, parts.length]);
    } catch (error) {
      return (error as Fault).code;
    }
  };
  const sql = `${text}${traceOf(0)}`;
  // As a whole, by a reading that knows nothing of traces.
  expect(one(sql, read)).toBe(one(sql, (whole) => analyse(whole, world.scope)));
});
