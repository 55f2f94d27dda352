import { beforeAll, expect, test } from 'vitest';
import { loadParser } from './parse.ts';
import { type RecordedPart, recordedText } from './recorded.ts';

beforeAll(loadParser);

const none = new Set<number>();
const part = (
  mask: RecordedPart['mask'],
  placed: readonly number[] = [],
  sensitive: readonly number[] = [],
): RecordedPart => ({
  start: 0,
  end: 1e9,
  mask,
  placed: new Set(placed),
  sensitive: new Set(sensitive),
});

test('nothing labelled: the text stays as it is', () => {
  expect(recordedText("select 'é' -- x", [part('none')])).toBe("select 'é' -- x");
});

test('every literal that was not placed is masked, and comments go with the first of them', () => {
  const sql =
    "select /* a@x */ 'é', 5, -7, 1.5e3, $1, $q$z$q$, e'\\n', u&'x', x'1f', b'01', n'q' from t5 -- a@x\nwhere a = 'b'";
  const recorded = recordedText(sql, [part('some')]);
  expect(recorded).not.toMatch(/a@x|é|5,|7|1\.5|z|\\n|1f|01|'q'|'b'/);
  expect(recorded).toContain('from t5');
  expect(recorded).toContain('$1');
});

test('placed literals stay, by byte offset and by the sign of a negative number', () => {
  const sql = "select 'é', 'keep', -7 from t";
  const offsets = [Buffer.from(sql).indexOf("'keep'"), Buffer.from(sql).indexOf('-7')];
  expect(recordedText(sql, [part('some', offsets)])).toBe("select '***', 'keep', -7 from t");
  expect(recordedText(sql, [part('some', offsets, [offsets[0]!])])).toBe("select '***', '***', -7 from t");
});

test('a string continued on the next line is masked to its end', () => {
  expect(recordedText("select 'secret'\n  'more' from t", [part('some')])).not.toMatch(/secret|more/);
});

test('a body keeps its code and loses its literals, at any depth of quoting', () => {
  const sql = "do $a$ begin update t set email = 'x@y' where n = $b$ deep 'er' $b$; end $a$";
  const recorded = recordedText(sql, [{ ...part('all'), code: true }]);
  expect(recorded).toContain('update t set email');
  expect(recorded).not.toMatch(/x@y|er'/);
});

test('only the statement that needs it loses its literals', () => {
  const first = "select 'one';";
  const sql = `${first} select 'two'`;
  const parts: RecordedPart[] = [
    { start: 0, end: first.length, mask: 'none', sensitive: none, placed: none },
    { start: first.length, end: sql.length, mask: 'some', sensitive: none, placed: none },
  ];
  expect(recordedText(sql, parts)).toBe("select 'one'; select '***'");
});

test('a text whose literals cannot be found is one mask', () => {
  expect(recordedText("select 'open", [part('some')])).toBe("'***'");
});
