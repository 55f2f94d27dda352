// A server's log and its settings, read through the database: for targets whose files nobody can fetch.
import { LogRefused, type LogSource } from './log-files.ts';
import type { LogSettings } from './findings.ts';

/** Runs one query on a connection of ours; all values as text. */
export type AskTarget = (sql: string) => Promise<(string | null)[][]>;

const settings = [
  'log_statement',
  'log_min_duration_statement',
  'log_connections',
  'log_disconnections',
  'log_destination',
  'log_directory',
  'logging_collector',
  'log_min_messages',
  'log_min_error_statement',
  'log_transaction_sample_rate',
  'log_rotation_age',
  'log_rotation_size',
  'log_truncate_on_rotation',
  'pgaudit.log',
  'pgaudit.log_parameter',
  'lc_messages',
];

/** Settings that the role may see. */
export async function readLogSettings(ask: AskTarget): Promise<LogSettings> {
  const names = settings.map((name) => `'${name}'`).join(', ');
  const rows = await ask(
    `select s.name::pg_catalog.text, coalesce(s.setting, '') || case when s.unit = 'ms' then '' else coalesce(s.unit, '') end from pg_catalog.pg_settings s where s.name in (${names})`,
  );
  return Object.fromEntries(rows.map(([name, value]) => [name!, value ?? '']));
}

/** Bytes of one reading. */
const piece = 4 * 1024 * 1024;

/** The csvlog or jsonlog files that the server has. Throws LogRefused when there are none, or the role may not read them. */
export async function serverLog(ask: AskTarget): Promise<LogSource[]> {
  let rows: (string | null)[][];
  try {
    rows = await ask(
      'select l.name, pg_catalog.current_setting($$log_directory$$) from pg_catalog.pg_ls_logdir() l order by 1',
    );
  } catch (cause) {
    throw new LogRefused(
      'The role may not read the log of the server: it needs pg_monitor and pg_read_server_files. Name another one with --user, or copy the files and use --log.',
      { cause },
    );
  }
  const named = rows.filter(([name]) => /\.(csv|json)(\.gz)?$/.test(name ?? ''));
  const csv = named.filter(([name]) => /\.csv(\.gz)?$/.test(name!));
  const chosen = csv.length > 0 ? csv : named;
  if (chosen.length === 0)
    throw new LogRefused('The server keeps neither csvlog nor jsonlog: set log_destination and logging_collector.');
  return chosen.map(([name, folder]) => ({ name: name!, open: () => readServerFile(ask, `${folder}/${name}`) }));
}

async function* readServerFile(ask: AskTarget, path: string): AsyncGenerator<Buffer> {
  const quoted = `'${path.replaceAll("'", "''")}'`;
  for (let at = 0; ; at += piece) {
    const [[text = ''] = []] = (await ask(
      `select pg_catalog.encode(pg_catalog.pg_read_binary_file(${quoted}, ${at}, ${piece}), 'base64')`,
    )) as string[][];
    const bytes = Buffer.from(text, 'base64');
    if (bytes.length > 0) yield bytes;
    if (bytes.length < piece) return;
  }
}
