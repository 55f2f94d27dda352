// Every construct of the corpus against a real PostgreSQL: what is read, what the server describes, and whether any cell
// that leaves holds a planted value in any form.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileMask } from '../../../src/masking/method.ts';
import type { Scope } from '../../../src/sql/analysis.ts';
import { type Lineage, lineage } from '../../../src/sql/lineage.ts';
import { loadParser, parse } from '../../../src/sql/parse.ts';
import { verifies } from '../../requirements.ts';
import { type Case, corpus } from './corpus.ts';
import { harmless } from './harmless.ts';
import { openShop, secrets, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  await loadParser();
  shop = await openShop();
});
afterAll(() => shop.stop());

function read(row: Pick<Case, 'sql' | 'path'>): Lineage {
  const searchPath = ['pg_catalog', ...(row.path ?? ['public'])];
  const scope: Scope = {
    catalogue: shop.catalogue,
    searchPath,
    role: 'admin',
    prepared: new Map(),
    cursors: new Map(),
  };
  return lineage(parse(row.sql)[0]!.tree, scope);
}

const names = (columns: readonly { column: string }[]) =>
  [...new Set(columns.map((source) => source.column))].sort().join('+');

function outs(found: Lineage): readonly string[] | undefined {
  return found.outputs?.map(({ opaque, sources, direct }) => {
    if (opaque) return '?';
    if (sources.length === 0) return '-';
    return (direct ? '=' : '') + names(sources);
  });
}

interface Described {
  readonly names: readonly string[];
  readonly fields: readonly { readonly table: number; readonly attribute: number; readonly type: number }[];
  readonly rows: readonly (readonly (string | null)[])[];
}

/** Runs it for real, with every value as text, and undoes it. */
async function run(row: Pick<Case, 'sql' | 'path'>): Promise<Described> {
  await shop.client.query('begin');
  try {
    await shop.client.query(`set local search_path = ${(row.path ?? ['public']).join(', ')}`);
    const types = { getTypeParser: () => (value: string) => value };
    const result = await shop.client.query({ text: row.sql, rowMode: 'array', types });
    return {
      names: result.fields.map((field) => field.name),
      fields: result.fields.map((field) => ({
        table: field.tableID,
        attribute: field.columnID,
        type: field.dataTypeID,
      })),
      rows: result.rows as (string | null)[][],
    };
  } finally {
    await shop.client.query('rollback');
  }
}

test('the corpus is large enough, and no row stands twice', () => {
  expect(corpus.length).toBeGreaterThanOrEqual(120);
  expect(harmless.length).toBeGreaterThanOrEqual(60);
  const keys = corpus.map((row) => `${row.sql}${row.path ?? ''}`);
  expect(new Set(keys).size).toBe(keys.length);
});

describe('what each construct carries', () => {
  test.each(corpus.map((row) => [row.sql, row] as const))('%s', (_sql, row) => {
    const found = read(row);
    expect({ out: outs(found), probes: names(found.probes), derives: names(found.derives) }).toEqual({
      out: row.out?.map((entry) => entry.replace('contact-', '')),
      probes: row.probes ?? '',
      derives: row.derives ?? '',
    });
  });
});

const live = corpus.filter((row) => !row.dry);

describe('the second witness', () => {
  test(
    verifies(
      'masked-or-withheld',
      'RowDescription agrees with every claim, and shows no labelled column that was not read',
    ),
    async () => {
      let claims = 0;
      const unclaimed: string[] = [];
      const wrong: unknown[] = [];
      for (const row of [...live, ...harmless.map((sql) => ({ sql }))]) {
        const found = read(row);
        const server = await run(row).catch((error: Error) => expect.fail(`${row.sql}: ${error.message}`));
        if ((found.outputs?.length ?? 0) !== server.fields.length) {
          wrong.push([row.sql, 'number of columns', found.outputs?.length, server.fields.length]);
          continue;
        }
        server.fields.forEach((field, index) => {
          const { origin, type } = found.witnesses[index]!;
          const output = found.outputs![index]!;
          if (origin) claims++;
          if (origin && (origin.table !== field.table || origin.attribute !== field.attribute))
            wrong.push([row.sql, output.name, origin, field]);
          if (!origin && field.table !== 0 && !output.opaque) unclaimed.push(row.sql);
          if (type !== undefined && type !== field.type) wrong.push([row.sql, output.name, 'type', type, field.type]);
          if (!output.opaque && output.name !== server.names[index])
            wrong.push([row.sql, 'name', output.name, server.names[index]]);
          const labels =
            shop.catalogue.relations.get(field.table)?.columns.find((column) => column.attribute === field.attribute)
              ?.labels ?? [];
          const seen = new Set(output.sources.flatMap((source) => source.labels));
          if (!output.opaque && !labels.every((label) => seen.has(label)))
            wrong.push([row.sql, output.name, 'label unseen', labels]);
        });
      }
      expect(wrong).toEqual([]);
      expect(claims).toBeGreaterThan(150);
      // Claims that could be made and are not: only where the call or the join has two readings.
      expect(unclaimed).toEqual([
        'select name(p), ssn(p) from people p',
        'select guess from (select ssn as guess from people) s join guesses using (guess)',
      ]);
    },
  );
});

describe('the leak oracle', () => {
  /** A planted value in any of the forms in which it could be put together again. */
  const forms = secrets.flatMap((secret) => {
    const reversed = [...secret].reverse().join('');
    const both = [secret, reversed];
    const encoded = both.flatMap((value) => [
      Buffer.from(value).toString('hex'),
      ...[0, 1, 2].map((pad) =>
        Buffer.from(' '.repeat(pad) + value)
          .toString('base64')
          .slice(pad === 0 ? 0 : 4, -4),
      ),
    ]);
    const pieces = /^\d+$/.test(secret)
      ? both.flatMap((value) => Array.from({ length: value.length - 3 }, (_, at) => value.slice(at, at + 4)))
      : [];
    return [...both, ...encoded, ...pieces].map((form) => form.toLowerCase());
  });
  const leaks = (cell: string) => forms.filter((form) => form.length >= 4 && cell.toLowerCase().includes(form));

  test('the oracle sees the values where nothing is masked', async () => {
    const { rows } = await run({
      sql: "select ssn, reverse(ssn), encode(convert_to(ssn, 'UTF8'), 'hex'), encode(convert_to(email, 'UTF8'), 'base64'), substr(ssn, 2, 5) from people",
    });
    for (const cell of rows[0]!) expect(leaks(cell!)).not.toEqual([]);
  });

  test.each(['full', 'hash', 'null'] as const)(
    verifies('masked-or-withheld', 'no cell of any construct holds a planted value after masking (%s)'),
    async (method) => {
      const key = Buffer.from('deployment key');
      const found: unknown[] = [];
      let cells = 0;
      for (const row of live) {
        const { outputs } = read(row);
        const server = await run(row).catch((error: Error) => expect.fail(`${row.sql}: ${error.message}`));
        const masks = (outputs ?? []).map(({ sources, opaque, direct }, index) =>
          sources.length > 0 || opaque
            ? compileMask(
                { label: 'x', method: opaque ? 'null' : method, whole: !direct },
                server.fields[index]!.type,
                0,
                key,
              )
            : null,
        );
        for (const values of server.rows)
          values.forEach((value, index) => {
            const cell = masks[index] ? masks[index](value === null ? null : Buffer.from(value)) : value;
            cells++;
            if (cell !== null && leaks(cell.toString()).length > 0) found.push([row.sql, index, cell.toString()]);
          });
      }
      expect(found).toEqual([]);
      expect(cells).toBeGreaterThan(400);
    },
  );
});

describe('what is harmless stays so', () => {
  test.each(harmless)('%s', (sql) => {
    const found = read({ sql });
    expect((found.outputs ?? []).filter(({ sources, opaque }) => opaque || sources.length > 0)).toEqual([]);
    expect([found.probes, found.derives, found.opaque]).toEqual([[], [], false]);
  });
});
