// Texts that our reading and the server's could see differently: quotes, comments and operators of every form, statements inside
// statements, several in one text, what psql would keep to itself, and real statements with something cut, doubled or put in.
import { destructive } from '../adversarial/effects/destructive.ts';
import { harmless } from '../adversarial/effects/harmless.ts';
import { pick, type Random } from '../nightly/mutation.ts';

const literals = [
  "'a'",
  "'a;b'",
  "'it''s; x'",
  "'\\'",
  "'\\''';'",
  "e'\\';'",
  "E'it\\'s; \\\\'",
  "e'\\x3b\\073\\u003b'",
  "'a'\n';b'",
  "'a' -- c\n ';b'",
  "U&'\\0041;\\+00003b'",
  "u&'d!0061t\\a' uescape '!'",
  '$$;$$',
  '$$\';"$$',
  '$a$ $b$; $a$',
  '$a$ $a$a$',
  '$é$;$é$',
  '$_1$;$$;$_1$',
  "b'01'",
  "x'1f'",
  "n'a;b'",
  "date '2026-01-02'",
  "'{1}'::int[]",
  '1',
  '1.5e3',
  '0x1f',
  '1_000',
  'null',
  '-1',
  'array[1,2]',
  "row(1,';')",
];
const gaps = [
  ' ',
  '\n',
  '\t',
  '\f',
  '\v',
  '\r',
  '/**/',
  '/*;*/',
  '/* /* ; */ */',
  '/* -- */',
  '/*/**/*/',
  '-- ;\n',
  '--\r',
  '--;\r\n',
  ' ',
  ' ',
  ' ',
];
const operators = [
  '=',
  '<>',
  '!=',
  '+',
  '-',
  '*',
  '||',
  '@>',
  '->>',
  '<->',
  '~~',
  '!~~*',
  '*-',
  '+-',
  '|/',
  '@-@',
  '- -',
  '=/**/',
  '@--x\n',
  '+/*;*/',
];
const names = [
  'orders',
  'public.orders',
  '"orders"',
  'U&"ord\\0065rs"',
  'only orders',
  'customers',
  'audit',
  'guarded',
  'ruled',
  'measures',
  'directory',
  'private.keys',
  '"a;b"',
  '"a""b"',
  'lower_names',
];
const odd = [
  '\ufeff',
  '\0',
  '\\',
  '\\d',
  '\\;',
  ';',
  ';;',
  "'",
  '"',
  '$$',
  '$1',
  '::',
  ':=',
  '\u00a0',
  '\u200b',
  '\u2028',
  '😀',
  '(',
  ')',
  '/*',
  '*/',
  '--',
  '\n',
  'é',
  '$x$',
  "e'",
  "u&'",
  '\\gexec',
  '\r',
];

const where = (random: Random) =>
  pick(random, [
    '',
    ' where id = 1',
    ' where true',
    ` where id::text ${pick(random, operators)} ${pick(random, literals)}`,
    ' where id in (select 1)',
  ]);

/** One statement; `depth` bounds statements inside statements. */
function statement(random: Random, depth = 0): string {
  const literal = () => pick(random, literals);
  const gap = () => pick(random, gaps);
  const table = () => pick(random, names);
  const inner = () => (depth > 2 ? 'select 1' : statement(random, depth + 1));
  const tag = pick(random, ['$$', '$do$', '$é$', '$a1$']);
  switch (random(36)) {
    case 0:
      return `select${gap()}${literal()}${gap()}as${gap()}${pick(random, ['x', '"x;y"', '"delete"', 'U&"\\0061"'])}`;
    case 1:
      return `select${gap()}${literal()}::text${gap()}${pick(random, operators)}${gap()}${literal()}::text`;
    case 2:
      return `insert${gap()}into${gap()}audit(what)${gap()}values${gap()}(${literal()}::text)`;
    case 3:
      return `update${gap()}${table()}${gap()}set${gap()}note${gap()}=${gap()}${literal()}${where(random)}`;
    case 4:
      return `delete${gap()}from${gap()}${table()}${where(random)}`;
    case 5:
      return `with${gap()}w${gap()}as${gap()}(${inner()})${gap()}select${gap()}1`;
    case 6:
      return `explain${gap()}${pick(random, ['', 'analyze ', '(analyze) ', '(costs off, analyze false) ', 'verbose '])}${inner()}`;
    case 7:
      return `prepare${gap()}p${random(3)}${gap()}as${gap()}${inner()}`;
    case 8:
      return `do${gap()}${tag}${gap()}begin${gap()}${inner()};${gap()}end${gap()}${tag}`;
    case 9:
      return `do${gap()}${tag}${gap()}begin${gap()}perform${gap()}${literal()};${gap()}end${gap()}${tag}`;
    case 10:
      return `copy${gap()}(${inner()})${gap()}to${gap()}stdout`;
    case 11:
      return `copy${gap()}${table()}${gap()}from${gap()}stdin`;
    case 12:
      return `declare${gap()}c${random(3)}${gap()}cursor${gap()}for${gap()}${inner()}`;
    case 13:
      return pick(random, [
        'begin',
        'commit',
        'rollback',
        'savepoint a',
        'release a',
        'end',
        'abort',
        'start transaction',
        'rollback to a',
      ]);
    case 14:
      return `set${gap()}${pick(random, ['local ', ''])}${pick(random, ['application_name', 'search_path', 'work_mem', 'standard_conforming_strings', 'client_encoding', 'datestyle', 'backslash_quote'])}${gap()}=${gap()}${pick(random, [literal(), 'default', 'off', 'on', 'public', "'SJIS'"])}`;
    case 15:
      return `create${gap()}temp${gap()}table${gap()}t${random(9)}${gap()}${pick(random, ['(a int)', `as ${inner()}`, `(a text default ${literal()})`])}`;
    case 16:
      return `create${gap()}function${gap()}f${random(9)}()${gap()}returns${gap()}int${gap()}language${gap()}sql${gap()}as${gap()}${pick(random, [literal(), '$$select 1;$$', "'select 1'"])}`;
    case 17:
      return `create${gap()}function${gap()}g${random(9)}()${gap()}returns${gap()}int${gap()}begin${gap()}atomic${gap()}${pick(random, ['select 1;', 'delete from public.orders; select 1;', 'select case when true then 1 end;'])}${gap()}end`;
    case 18:
      return `merge${gap()}into${gap()}orders${gap()}o${gap()}using${gap()}customers${gap()}c${gap()}on${gap()}o.customer_id = c.id${gap()}when${gap()}matched${gap()}then${gap()}${pick(random, ['delete', "update set status = 'x'", 'do nothing'])}`;
    case 19:
      return `select${gap()}${pick(random, ['purge()', 'atomic_delete()', 'plain(1)', "dynamic('orders')", "nextval('tickets')", 'harmless(1)', "set_config('application_name', 'x', false)", 'lo_create(0)', "pg_notify('c', 'x')", 'count(*)', 'random()', "query_to_xml('delete from orders', true, true, '')", 'recursive_a()', 'path_set()', 'pg_advisory_xact_lock(1)', 'txid_current()', "setval('tickets', 5)", "'a'::text === 'b'::text"])}`;
    case 20:
      return `call${gap()}sweep(${literal()})`;
    case 21:
      return `truncate${gap()}${table()}`;
    case 22:
      return `create${gap()}rule${gap()}r${random(5)}${gap()}as${gap()}on${gap()}insert${gap()}to${gap()}orders${gap()}do${gap()}also${gap()}(${inner()};${gap()}${inner()})`;
    case 23:
      return `select${gap()}*${gap()}from${gap()}${table()}${where(random)}${pick(random, ['', ' for update', ' limit 1', ' into temp kept'])}`;
    case 24:
      return `values${gap()}(${literal()}),${gap()}(${literal()})`;
    case 25:
      return `insert${gap()}into${gap()}${table()}${gap()}select${gap()}*${gap()}from${gap()}${table()}`;
    case 26:
      return `insert${gap()}into${gap()}guarded(id)${gap()}values${gap()}(${1 + random(999)})${pick(random, ['', ' returning *', ' on conflict do nothing', ' on conflict (id) do update set note = excluded.note'])}`;
    case 27:
      return pick(random, [
        'show all',
        'listen c',
        'unlisten *',
        'notify c',
        'discard plans',
        'deallocate all',
        'lock table orders',
        'close all',
        'reset search_path',
        'comment on table orders is null',
        'refresh materialized view totals',
        'analyze orders',
        'drop table if exists nothing',
        'alter table orders add column x int',
        'create view v as select 1 as a',
        'drop view directory_names',
        'grant select on orders to public',
      ]);
    case 28:
      return pick(random, ['', gap(), '-- nothing', '/* nothing ; */']);
    default:
      return pick(random, real);
  }
}

// What only waits, or ends a session, tells nothing here.
const real = [...destructive.map(({ sql }) => sql), ...harmless].filter(
  (sql) => !/pg_sleep|terminate|read only|read_only|characteristics|statement_timeout|pg_advisory_lock/i.test(sql),
);

export function textOf(random: Random): string {
  let text = Array.from({ length: 1 + (random(3) === 0 ? random(4) : 0) }, () => statement(random)).join(
    pick(random, [';', '; ', ';\n', ' ;-- x\n', ';;', '; ; ', ';/* ; */']),
  );
  if (random(6) === 0) text += pick(random, [';', '; ', ';;', ' -- ;', '/* ; */', '\\g', '\0']);
  if (random(40) === 0) text = pick(random, ['\ufeff', ' ', ';', '\\', '\0']) + text;
  for (let times = random(10) < 3 ? 1 + random(3) : 0; times > 0; times--) {
    const at = random(text.length + 1);
    const length = random(4);
    switch (random(5)) {
      case 0:
        text = text.slice(0, at) + text.slice(at + 1 + length);
        break;
      case 1:
        text = text.slice(0, at) + pick(random, odd) + text.slice(at);
        break;
      case 2:
        text = text.slice(0, at) + text.slice(at, at + length * 4) + text.slice(at);
        break;
      case 3:
        text = text.slice(0, at) + pick(random, gaps) + text.slice(at);
        break;
      default:
        text = text.slice(0, at) + text.slice(at, at + length).toUpperCase() + text.slice(at + length);
    }
  }
  return text;
}
