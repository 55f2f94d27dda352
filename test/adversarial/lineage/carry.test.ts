// Where copies go: each statement that takes labelled values out from under their labels says into which columns.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LabelRule } from '../../../src/sql/catalogue.ts';
import { readText } from '../../../src/sql/text.ts';
import { loadParser } from '../../../src/sql/parse.ts';
import { openShop, rules, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  await loadParser();
  shop = await openShop();
});
afterAll(() => shop.stop());

/** `schema.relation.column:label+label`, sorted. */
async function carries(sql: string, more: readonly LabelRule[] = []): Promise<string[]> {
  const catalogue = more.length === 0 ? shop.catalogue : await shop.reload([...rules, ...more]);
  const scope = { catalogue, searchPath: ['public'], role: 'admin', prepared: new Map(), cursors: new Map() };
  const { meaning, barrier } = readText(sql, scope);
  const found = meaning.carries ?? [];
  if (found.length > 0) {
    expect(barrier).toBe(true);
    expect(meaning.effects.some((effect) => effect.action === 'sql:derive')).toBe(true);
  }
  return found
    .map(({ schema, relation, column, labels }) => `${schema}.${relation}.${column}:${labels.join('+')}`)
    .sort();
}

describe('copies', () => {
  test.each([
    [
      'create table c as select ssn, id, upper(email) as loud from people',
      ['public.c.loud:pii.email', 'public.c.ssn:pii.ssn'],
    ],
    ['create table c (a, b) as select id, ssn from people', ['public.c.b:pii.ssn']],
    ['create table "Odd Schema".c as select ssn || email as both from people', ['Odd Schema.c.both:pii.email+pii.ssn']],
    ['create temp table c as select ssn from people', ['pg_temp.c.ssn:pii.ssn']],
    ['select ssn into c from people', ['public.c.ssn:pii.ssn']],
    ['select id, ssn into temp c from people union all select 1, note from people', ['pg_temp.c.ssn:pii.ssn']],
    ['create table c as select contact from directory', ['public.c.contact:pii.email']],
    ['create materialized view c as select ssn from people', []],
    ['create view c as select ssn from people', []],
    ['create table c as select id from people', []],
    ['insert into sinks (id, public) select id, ssn from people', ['public.sinks.public:pii.ssn']],
    [
      'insert into sinks select id, email, salary from people',
      ['public.sinks.number:pii.salary', 'public.sinks.public:pii.email'],
    ],
    ['insert into people (id, ssn) select id + 100, ssn from people', []],
    ['insert into people (id, email) select id + 100, ssn from people', ['public.people.email:pii.ssn']],
    ['update people set note = ssn', ['public.people.note:pii.ssn']],
    ['update sinks set public = p.email from people p where p.id = sinks.id', ['public.sinks.public:pii.email']],
    [
      'merge into sinks s using people p on s.id = p.id when matched then update set public = p.ssn when not matched then insert (id, number) values (p.id, p.salary)',
      ['public.sinks.number:pii.salary', 'public.sinks.public:pii.ssn'],
    ],
    [
      'insert into sinks (id) select 1 on conflict (id) do update set public = (select ssn from people limit 1)',
      ['public.sinks.public:pii.ssn'],
    ],
    [
      'with x as (insert into sinks (id, public) select 9, ssn from people returning id) select * from x',
      ['public.sinks.public:pii.ssn'],
    ],
    ['update directory set name = contact', ['public.people.name:pii.email']],
    ['prepare p as insert into sinks (id, public) select id, ssn from people', ['public.sinks.public:pii.ssn']],
    ['do $$ begin insert into sinks (id, public) select id, ssn from people; end $$', ['public.sinks.public:pii.ssn']],
    ['alter table people alter column note type text using ssn', ['public.people.note:pii.ssn']],
  ])('%s', async (sql, found) => expect(await carries(sql)).toEqual(found));
});

describe('names that change', () => {
  test.each([
    ['alter table people rename column ssn to n', ['public.people.n:pii.ssn']],
    ['alter table animals rename to beasts', ['public.beasts.chip:pii']],
    ['alter table animals set schema "Odd Schema"', ['Odd Schema.animals.chip:pii']],
    ['alter type address rename attribute street to road', ['public.address.road:pii']],
    ['alter table people alter column ssn_tail drop expression', ['public.people.ssn_tail:pii.ssn']],
    ['alter table dogs no inherit animals', ['public.dogs.chip:pii']],
    ['alter table events detach partition events_old', ['public.events.who:pii', 'public.events_old.who:pii']],
    ['alter table people rename column id to n', []],
    ['alter table people alter column name set not null', []],
    ['alter table people alter column ssn type varchar(40)', []],
  ])('%s', async (sql, found) => expect(await carries(sql)).toEqual(found));

  test('a schema takes everything in it along', async () => {
    const found = await carries('alter schema public rename to other');
    expect(found).toContain('other.people.ssn:pii.ssn');
    expect(found).toContain('other.events_new.who:pii');
    expect(found.every((one) => one.startsWith('other.'))).toBe(true);
  });
});

describe('what rules by type and comment look at', () => {
  const byType = [{ type: 'ssn_text', label: 'typed' }];
  test.each([
    ['alter table people alter column ssn type text', ['public.people.ssn:pii.ssn+typed']],
    ['alter domain ssn_text rename to number', ['public.people.ssn:pii.ssn+typed']],
    ['alter type ssn_text rename to number', ['public.people.ssn:pii.ssn+typed']],
    ['alter domain ssn_text set schema "Odd Schema"', ['public.people.ssn:pii.ssn+typed']],
    ['alter type mood rename to temper', []],
  ])('%s', async (sql, found) => expect(await carries(sql, byType)).toEqual(found));

  test('without such a rule, a type may change', async () =>
    expect(await carries('alter domain ssn_text rename to n')).toEqual([]));

  const derives = async (sql: string, more: readonly LabelRule[]) => {
    const catalogue = await shop.reload([...rules, ...more]);
    const scope = { catalogue, searchPath: ['public'], role: 'admin', prepared: new Map(), cursors: new Map() };
    return readText(sql, scope).meaning.effects.filter((effect) => effect.action === 'sql:derive').length;
  };
  test.each([
    ["comment on column people.ssn is ''", 1],
    ['comment on column public.people.ssn is null', 1],
    ["do $$ begin comment on column people.ssn is 'x'; end $$", 1],
    ["comment on column people.name is 'x'", 0],
    ["comment on table people is 'x'", 0],
  ])('%s: %s derived', async (sql, count) => {
    expect(await derives(sql, [{ comment: '@pii', label: 'pii' }])).toBe(count);
    expect(await derives(sql, [])).toBe(0);
  });
});
