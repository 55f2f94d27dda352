// One measurement: pgbench for transactions, psql for whole results; CPU of the contestant's process from the process table.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Contestant } from './contestants.ts';

export interface Figure {
  /** Transactions or results per second. */
  readonly rate: number;
  readonly transactions: number;
  /** CPU of the contestant's own process, microseconds a transaction; absent for direct. */
  readonly cpu?: number;
}

const ticks = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticks;
}

export interface Work {
  readonly name: string;
  readonly clients: number;
  /** Arguments for pgbench besides clients and duration. */
  readonly pgbench: readonly string[];
}

export function measure(contestant: Contestant, work: Work, seconds: number): Figure {
  const before = contestant.pid === undefined ? 0 : cpuSeconds(contestant.pid);
  const run = spawnSync(
    'pgbench',
    ['-n', '-c', String(work.clients), '-j', '1', '-T', String(seconds), ...work.pgbench],
    { env: { ...process.env, ...contestant.env }, encoding: 'utf8' },
  );
  if (run.status !== 0)
    throw new Error(
      `pgbench through ${contestant.name} (${work.name}) failed: ${run.stderr.replaceAll(contestant.env.PGPASSWORD!, '***')}`,
    );
  const rate = Number(/tps = ([\d.]+) \(without/.exec(run.stdout)?.[1]);
  const transactions = Number(/number of transactions actually processed: (\d+)/.exec(run.stdout)?.[1]);
  const failed = Number(/number of failed transactions: (\d+)/.exec(run.stdout)?.[1] ?? 0);
  if (!(rate > 0) || failed > 0) throw new Error(`pgbench through ${contestant.name} (${work.name}): ${run.stdout}`);
  if (contestant.pid === undefined) return { rate, transactions };
  return { rate, transactions, cpu: ((cpuSeconds(contestant.pid) - before) * 1e6) / transactions };
}

/** SHA-256 of what psql prints for a query: equal for all, or the figures mean nothing. */
export function digest(contestant: Contestant, query: string): string {
  const run = spawnSync('psql', ['-X', '-A', '-t', '-c', query], {
    env: { ...process.env, ...contestant.env },
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  });
  if (run.status !== 0)
    throw new Error(
      `psql through ${contestant.name} failed: ${run.stderr.replaceAll(contestant.env.PGPASSWORD!, '***')}`,
    );
  return createHash('sha256').update(run.stdout).digest('hex');
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
