// One statement through the running demo, for machines without psql: a stock client, the token as password, a table.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Io, printLine, printTable } from '../cli/output.ts';

/** Prints the result or the error as the agent sees it. False when the statement failed. */
export async function runSql(
  statement: string,
  options: { readonly as: string; readonly folder: string },
  io: Io,
): Promise<boolean> {
  const { default: pg } = await import('pg');
  let port: number;
  let token: string;
  try {
    port = (JSON.parse(readFileSync(join(options.folder, 'ports.json'), 'utf8')) as { tls: number }).tls;
    token = readFileSync(join(options.folder, 'tokens', options.as), 'utf8').trim();
  } catch {
    io.stderr.write(
      `countersign: no running demo in ${options.folder}, or no agent ${options.as}. Start one with: npm run demo\n`,
    );
    return false;
  }
  const client = new pg.Client({
    host: 'localhost',
    port,
    user: options.as,
    password: token,
    database: 'shop',
    ssl: { ca: readFileSync(join(options.folder, 'tls', 'ca.pem'), 'utf8') },
  });
  client.on('notice', (notice) =>
    io.stderr.write(`${notice.severity}:  ${notice.message}\n${notice.hint ? `HINT:  ${notice.hint}\n` : ''}`),
  );
  client.on('error', () => {});
  try {
    await client.connect();
    const answers = await client.query({ text: statement, rowMode: 'array' });
    for (const answer of [answers].flat()) {
      if (answer.fields.length > 0) {
        const rows = answer.rows as unknown[][];
        await printTable(
          io,
          answer.fields.map((field) => field.name),
          rows.map((row) => row.map(shown)),
        );
      }
      printLine(io, `${answer.command} ${answer.rowCount ?? ''}`);
    }
    return true;
  } catch (error) {
    const { message, code, detail, hint } = error as { message: string; code?: string; detail?: string; hint?: string };
    io.stderr.write(
      `ERROR:  ${code ?? ''} ${message}\n${detail ? `DETAIL:  ${detail}\n` : ''}${hint ? `HINT:  ${hint}\n` : ''}`,
    );
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

function shown(cell: unknown): string {
  if (cell === null) return 'NULL';
  if (cell instanceof Date) return cell.toISOString();
  return typeof cell === 'object' ? JSON.stringify(cell) : String(cell);
}
