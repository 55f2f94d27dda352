// A real S3 server with Object Lock: Ceph's RADOS gateway over a monitor and one object daemon, all in memory, as the user that runs
// the test (Debian: ceph-mon, ceph-osd, radosgw). It checks signatures, and creates a version where AWS refuses `If-None-Match: *`.
import { execFile, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { AwsClient } from 'aws4fetch';
import { freePort } from './postgres.ts';

const execute = promisify(execFile);

export interface TestObjects {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Makes a bucket; with Object Lock it is versioned too. */
  makeBucket(name: string, kind: 'locked' | 'versioned' | 'plain'): Promise<void>;
  /** A user of its own that may do nothing with the other one's buckets. */
  readonly stranger: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** The server dies; what it stored stays. `back` starts it again. */
  away(): Promise<void>;
  back(): Promise<void>;
  stop(): Promise<void>;
}

const pools = [
  '.rgw.root',
  'default.rgw.log',
  'default.rgw.control',
  'default.rgw.meta',
  'default.rgw.buckets.index',
  'default.rgw.buckets.data',
  'default.rgw.buckets.non-ec',
];

/** Starts one in a folder of its own; about ten seconds. */
export async function testObjects(): Promise<TestObjects> {
  const root = mkdtempSync(join(tmpdir(), 'objects-'));
  for (const folder of ['mon', 'osd0', 'rgw', 'out']) mkdirSync(join(root, folder));
  const [port, v1, v2] = [await freePort(), await freePort(), await freePort()];
  const monitors = `[v2:127.0.0.1:${v2},v1:127.0.0.1:${v1}]`;
  const fsid = randomUUID();
  const conf = join(root, 'ceph.conf');
  const keyring = join(root, 'keyring');
  writeFileSync(conf, configuration({ root, fsid, monitors, port }));
  const ceph = async (program: string, ...args: string[]): Promise<string> =>
    (await execute(program, ['-c', conf, ...args], { timeout: 60_000 })).stdout;

  const accessKeyId = 'AK';
  const secretAccessKey = randomBytes(16).toString('hex');
  const stranger = { accessKeyId: 'STRANGER', secretAccessKey: randomBytes(16).toString('hex') };
  let gateway: ReturnType<typeof spawn> | undefined;
  const away = async () => {
    if (!gateway || gateway.exitCode !== null || gateway.signalCode !== null) return;
    const gone = new Promise((resolve) => gateway?.once('exit', resolve));
    gateway.kill('SIGKILL');
    await gone;
  };
  const stop = async () => {
    for (const daemon of ['osd.0', 'mon.a']) kill(pidIn(join(root, 'out', `${daemon}.pid`)));
    await away();
    rmSync(root, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  };
  try {
    const admin = ['--cap', 'mon', 'allow *', '--cap', 'osd', 'allow *', '--cap', 'mgr', 'allow *'];
    await execute('ceph-authtool', ['--create-keyring', keyring, '--gen-key', '-n', 'mon.', '--cap', 'mon', 'allow *']);
    await execute('ceph-authtool', [keyring, '--gen-key', '-n', 'client.admin', ...admin]);
    const map = join(root, 'monmap');
    await execute('monmaptool', ['--create', '--clobber', '--fsid', fsid, '--addv', 'a', monitors, map]);
    await ceph('ceph-mon', '--mkfs', '-i', 'a', '--monmap', map, '--keyring', keyring);
    await ceph('ceph-mon', '-i', 'a');
    const osd = randomUUID();
    await ceph('ceph', 'osd', 'new', osd);
    const caps = ['mon', 'allow profile osd', 'osd', 'allow *'];
    appendFileSync(keyring, await ceph('ceph', 'auth', 'get-or-create', 'osd.0', ...caps));
    await ceph('ceph-osd', '-i', '0', '--mkfs', '--osd-uuid', osd);
    await ceph('ceph-osd', '-i', '0');
    for (const pool of pools) await ceph('ceph', 'osd', 'pool', 'create', pool, '1', '1');
    for (const [name, id, key] of [
      ['record', accessKeyId, secretAccessKey],
      ['stranger', stranger.accessKeyId, stranger.secretAccessKey],
    ] as const) {
      const user = ['user', 'create', '--uid', name, '--display-name', name];
      await ceph('radosgw-admin', ...user, '--access-key', id, '--secret-key', key);
    }
    const endpoint = `http://127.0.0.1:${port}`;
    const back = async () => {
      // In the foreground, so that its process is ours. Without its keyring it would hang.
      gateway = spawn('radosgw', ['-c', conf, '-f', '-n', 'client.admin', '--keyring', keyring], { stdio: 'ignore' });
      for (let tries = 0; ; tries++) {
        const answer = await fetch(endpoint).catch(() => undefined);
        await answer?.arrayBuffer();
        if (answer?.status === 200) return;
        if (tries > 300 || gateway.exitCode !== null) throw new Error('radosgw does not come up');
        await sleep(100);
      }
    };
    await back();
    const region = 'default';
    const client = new AwsClient({ accessKeyId, secretAccessKey, region, service: 's3', retries: 0 });
    const makeBucket = async (name: string, kind: 'locked' | 'versioned' | 'plain') => {
      const headers = kind === 'locked' ? { 'x-amz-bucket-object-lock-enabled': 'true' } : {};
      await sure(client.fetch(`${endpoint}/${name}`, { method: 'PUT', headers }));
      if (kind !== 'versioned') return;
      const body = '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>';
      await sure(client.fetch(`${endpoint}/${name}?versioning`, { method: 'PUT', body }));
    };
    return { endpoint, region, accessKeyId, secretAccessKey, stranger, makeBucket, away, back, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function configuration(of: { root: string; fsid: string; monitors: string; port: number }): string {
  return `[global]
fsid = ${of.fsid}
mon host = ${of.monitors}
public addr = 127.0.0.1
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
run dir = ${of.root}/out
log file = ${of.root}/out/$name.log
admin socket = ${of.root}/out/$name.asok
pid file = ${of.root}/out/$name.pid
crash dir = ${of.root}/out
osd pool default size = 1
osd pool default min size = 1
osd crush chooseleaf type = 0
osd pool default pg autoscale mode = off
mon allow pool size one = true
osd objectstore = memstore
osd data = ${of.root}/osd0
mon data = ${of.root}/mon
keyring = ${of.root}/keyring
osd class load list = *
osd class default list = *
[client.admin]
rgw data = ${of.root}/rgw
rgw frontends = beast endpoint=127.0.0.1:${of.port}
`;
}

async function sure(asked: Promise<Response>): Promise<void> {
  const answer = await asked;
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${answer.status} ${text}`);
}

function pidIn(file: string): number | undefined {
  try {
    return Number(readFileSync(file, 'utf8')) || undefined;
  } catch {
    return undefined;
  }
}

function kill(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
  } catch {
    // It has gone already.
  }
}
