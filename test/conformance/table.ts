// Writes the section "Clients" of docs/protocols/postgresql.md from the roster and the versions found here:
//   node test/conformance/table.ts
// table.test.ts fails while the page and the roster differ in anything but versions.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Client, roster } from './roster.ts';

export const page = join(import.meta.dirname, '..', '..', 'docs', 'protocols', 'postgresql.md');
const heading = '## Clients';

function versionOf(client: Client): string {
  const output = execFileSync(client.version[0], client.version.slice(1), {
    encoding: 'utf8',
    cwd: join(import.meta.dirname, '..', '..'),
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return /\d+(?:\.\d+)+/.exec(output)?.[0] ?? output.trim();
}

export const rows = (version: (client: Client) => string): string[] =>
  Object.entries(roster as Record<string, Client>).map(
    ([name, client]) =>
      `| ${name} | ${version(client)} | ${client.protocol} | ${client.work.join('; ').replaceAll('|', '\\|')} | ${client.apt} |`,
  );

function section(): string {
  return `${heading}

Each does its ordinary work directly and through the gateway, once with masks and once as a principal who may reveal, against PostgreSQL 18
(pg_dump and pg_restore: that of the distribution). What it prints must be equal, but for labelled values and for texts that could quote
them. Written by \`node test/conformance/table.ts\`; \`npm run test:conformance\` runs it, and fails where a client is missing.

| client | version | protocol | what is compared | package |
|---|---|---|---|---|
${rows(versionOf).join('\n')}

What differs for a principal who may not reveal, on a target with labels: notices and payloads of notifications are withheld, and what a
function or procedure returns that cannot be read arrives masked, rows of a cursor that it opened included. Large objects are
compared in \`test/conformance/large-objects.test.ts\`; what they hold is withheld from a principal who may not reveal.

Catalogue queries in the manner of pgAdmin, DBeaver and DataGrip are compared too (\`test/conformance/programs/gui_queries.sql\`). Which clients are not
here, and why: \`test/conformance/README.md\`.
`;
}

function write(): void {
  const text = readFileSync(page, 'utf8');
  const start = text.indexOf(`${heading}\n`);
  const next = start < 0 ? -1 : text.indexOf('\n## ', start + heading.length);
  const before = start < 0 ? `${text.trimEnd()}\n\n` : text.slice(0, start);
  const after = next < 0 ? '' : text.slice(next);
  writeFileSync(page, before + section() + after);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) write();
