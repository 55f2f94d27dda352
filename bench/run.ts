// `npm run bench`: direct, pgbouncer (session mode) and the gateway on one machine in one run, interleaved; ratios with their spread.
// The run refuses its own numbers when results differ, when what the target executed is not what was recorded, or when the ledger does not verify.
import { cpus } from 'node:os';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openArena } from './contestants.ts';
import { digest, type Figure, measure, median, type Work } from './measure.ts';

const quick = process.argv.includes('--quick');
const json = process.argv.includes('--json');
const rounds = quick ? 1 : 3;
const seconds = quick ? 2 : 5;
const say = (text: string) => process.stderr.write(`${text}\n`);

const arena = await openArena({ ack: 'written', labels: [] });
try {
  const [direct] = arena.contestants;
  say('preparing data …');
  await arena.admin(
    `create table wide as select n as id, ${Array.from({ length: 9 }, (_, i) => `md5((n * ${i + 1})::text) as c${i}`).join(', ')} from generate_series(1, 10000) n`,
  );
  await initialise();
  const wide = join(arena.folder, 'wide.sql');
  writeFileSync(wide, 'select * from wide;\n');

  const works: Work[] = [];
  for (const mode of ['simple', 'extended', 'prepared'] as const) {
    for (const clients of quick ? [8] : [1, 8, 32])
      works.push({ name: `select, ${mode}`, clients, pgbench: ['-S', '-M', mode] });
  }
  works.push({ name: 'tpc-b, simple', clients: 8, pgbench: ['-b', 'tpcb-like', '-M', 'simple'] });
  works.push({ name: '10⁴ × 10 rows', clients: 1, pgbench: ['-f', wide] });

  for (const query of [
    'select * from wide order by id',
    'select aid, abalance from pgbench_accounts where aid % 97 = 0 order by aid',
  ]) {
    const digests = new Set(arena.contestants.map((contestant) => digest(contestant, query)));
    if (digests.size !== 1) throw new Error(`results differ between contestants for: ${query}`);
  }

  const noise: number[] = [];
  for (let round = 0; round < Math.max(2, rounds); round++) {
    const first = measure(direct!, works[0]!, seconds).rate;
    noise.push(measure(direct!, works[0]!, seconds).rate / first);
  }

  const table = new Map<string, Map<string, Figure[]>>();
  for (let round = 1; round <= rounds; round++) {
    for (const work of works) {
      const key = `${work.name}, ${work.clients}`;
      say(`round ${round}/${rounds}: ${key} clients`);
      const row = table.get(key) ?? table.set(key, new Map()).get(key)!;
      for (const contestant of arena.contestants)
        row.set(contestant.name, [...(row.get(contestant.name) ?? []), measure(contestant, work, seconds)]);
    }
  }

  const executed = await arena.executedByGateway();
  const audit = await arena.audit();
  if (!audit.ok) throw new Error(`the ledger does not verify: ${JSON.stringify(audit.failure)}`);
  const decided = audit.counts['statement.decision'] ?? 0;
  if (decided < executed)
    throw new Error(
      `the target executed ${executed} statements for the gateway, the ledger holds ${decided} decisions`,
    );

  const results = [...table].map(([work, row]) => {
    const ratio = (a: string, b: string) => {
      const pairs = row.get(a)!.map((figure, index) => figure.rate / row.get(b)![index]!.rate);
      return { median: median(pairs), min: Math.min(...pairs), max: Math.max(...pairs) };
    };
    const cpu = (name: string) => median(row.get(name)!.map((figure) => figure.cpu ?? 0));
    return {
      work,
      direct: median(row.get('direct')!.map((figure) => figure.rate)),
      pgbouncer: ratio('pgbouncer', 'direct'),
      gateway: ratio('gateway', 'direct'),
      gatewayToPgbouncer: ratio('gateway', 'pgbouncer'),
      cpuPgbouncer: cpu('pgbouncer'),
      cpuGateway: cpu('gateway'),
    };
  });
  if (json) {
    console.log(
      JSON.stringify(
        { node: process.version, cores: cpus().length, rounds, seconds, noise, executed, decided, results },
        null,
        2,
      ),
    );
  } else {
    const cell = (r: { median: number; min: number; max: number }) =>
      `${r.median.toFixed(2)} (${r.min.toFixed(2)}–${r.max.toFixed(2)})`.padStart(18);
    console.log(
      `Node ${process.version}, ${cpus().length} cores shared by client, server and proxy; ${rounds} rounds of ${seconds} s; direct against direct: ${noise.map((n) => n.toFixed(2)).join(', ')}${noise.some((n) => Math.abs(n - 1) > 0.05) ? '  (noisy: more than 5 % apart)' : ''}\n`,
    );
    console.log(
      `${'work, clients'.padEnd(26)}${'direct tps'.padStart(12)}${'pgbouncer/direct'.padStart(19)}${'gateway/direct'.padStart(19)}${'gateway/pgbouncer'.padStart(19)}${'CPU µs pgb'.padStart(12)}${'gw'.padStart(8)}`,
    );
    for (const r of results) {
      console.log(
        `${r.work.padEnd(26)}${r.direct.toFixed(0).padStart(12)} ${cell(r.pgbouncer)} ${cell(r.gateway)} ${cell(r.gatewayToPgbouncer)}${r.cpuPgbouncer.toFixed(1).padStart(12)}${r.cpuGateway.toFixed(1).padStart(8)}`,
      );
    }
    console.log(
      `\nidentity, decision, record at \`written\`, results recorded; nothing masked. The target executed ${executed} statements for the gateway; the ledger holds ${decided} decisions and verifies.`,
    );
  }
} finally {
  await arena.stop();
}

async function initialise(): Promise<void> {
  const { spawnSync } = await import('node:child_process');
  const run = spawnSync('pgbench', ['-i', '-q', '-s', '10'], {
    env: { ...process.env, ...arena.contestants[0]!.env },
    encoding: 'utf8',
  });
  if (run.status !== 0) throw new Error(`pgbench -i failed: ${run.stderr}`);
}
