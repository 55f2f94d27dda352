import { beforeAll, expect, test } from 'vitest';
import { Fault } from '../domain/fault.ts';
import { loadParser, parse } from './parse.ts';
import { checkSetting, searchPathOf, settingChange } from './settings.ts';

beforeAll(loadParser);
const change = (sql: string) => settingChange(parse(sql)[0]!.tree.VariableSetStmt!);

test('SET in all its spellings', () => {
  expect(change('set a.b = 1')).toEqual({ name: 'a.b', value: '1', local: false, role: false });
  expect(change('set local work_mem to default')).toEqual({ name: 'work_mem', local: true, role: false });
  expect(change("set schema 'x'")).toEqual({ name: 'search_path', value: 'x', local: false, role: false });
  expect(change('set role none')).toMatchObject({ name: 'role', role: true });
  expect(change('reset role')).toMatchObject({ name: 'role', role: true });
  expect(change('set session authorization default')).toMatchObject({ name: 'session_authorization', role: true });
  expect(change('reset all')).toEqual({ local: false, role: false });
  expect(change('set transaction read write')).toMatchObject({ transaction: 'one' });
  expect(change('set session characteristics as transaction read write')).toMatchObject({ transaction: 'session' });
});

test('search_path lists keep their items apart', () => {
  expect(searchPathOf('"$user", public')).toEqual(['$user', 'public']);
  expect(searchPathOf('A, "A b", "q""q",c')).toEqual(['a', 'A b', 'q"q', 'c']);
  expect(searchPathOf('')).toEqual([]);
  expect(change("set search_path = 'a, b', c").value).toBe('"a, b", c');
});

test('values under which our reading stays true', () => {
  for (const value of ['UTF8', 'utf-8', 'Unicode', 'UTF_8'])
    expect(() => checkSetting('client_encoding', value)).not.toThrow();
  for (const value of ['latin1', 'sql_ascii', '', 'utf16', 'SJIS'])
    expect(() => checkSetting('client_encoding', value)).toThrow(Fault);
  for (const value of ['off', 'false', 'o', '0', 'no', ''])
    expect(() => checkSetting('standard_conforming_strings', value)).toThrow(Fault);
});
