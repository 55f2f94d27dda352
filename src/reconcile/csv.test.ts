import { expect, test } from 'vitest';
import { CsvRecords } from './csv.ts';

const line = (text: string) =>
  `2026-11-21 16:52:45.008 UTC,"app","shop",7,"statement: ${text.replaceAll('"', '""')}",,"psql"\n`;

test('a statement that looks like a line of the log is part of its record, wherever the file is cut into chunks', () => {
  const forged = `select 1 -- "\n2026-11-21 16:52:46.008 UTC,"nobody","shop",8,"statement: select 2",,"psql"\n`;
  const text = line(forged) + line('select 3');
  for (let size = 1; size < text.length; size += 7) {
    const records = new CsvRecords();
    const found: string[][] = [];
    for (let at = 0; at < text.length; at += size) found.push(...records.push(text.slice(at, at + size)));
    expect(found.map((fields) => [fields.length, fields[3], fields[4]])).toEqual([
      [7, '7', `statement: ${forged}`],
      [7, '7', 'statement: select 3'],
    ]);
    expect(records.left).toBe(0);
  }
});
