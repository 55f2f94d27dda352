// A gateway before a server that keeps its log as CSV and as JSON, in a folder that the test can read.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openPlace, type Place, type PlaceOptions } from '../fidelity/place.ts';

export interface LoggedPlace extends Place {
  /** Where the server's log files are. */
  readonly logs: string;
}

export const logging: Readonly<Record<string, string>> = {
  logging_collector: 'on',
  log_destination: 'csvlog,jsonlog',
  log_connections: 'on',
  log_disconnections: 'on',
  log_statement: 'all',
  log_file_mode: '0644',
  log_filename: 'server.log',
};

export async function loggedPlace(options: Partial<PlaceOptions> = {}): Promise<LoggedPlace> {
  const logs = mkdtempSync(join(tmpdir(), 'reconcile-logs-'));
  chmodSync(logs, 0o777);
  const settings = { ...logging, log_directory: logs, ...options.server?.settings };
  const place = await openPlace({
    seed: `create table customers (id int primary key, name text, email text);
      insert into customers values (1, 'ada', 'ada@mail.example'), (2, 'bo', 'bo@mail.example');
      create table notes (id serial primary key, body text)`,
    labels: [{ columns: 'public.customers.email', label: 'pii.email' }],
    ...options,
    server: { ...options.server, settings },
  });
  return {
    ...place,
    logs,
    async close() {
      await place.close();
      rmSync(logs, { recursive: true, force: true });
    },
  };
}
