// Attacks on recordings: what replay would show.
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { FileAttack } from './attack.ts';
import type { Storage } from './place.ts';

const files = (on: Storage) =>
  readdirSync(on.recordings, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.rec'))
    .sort()
    .map((name) => join(on.recordings, name));

/** Header and framed chunks of a recording. */
function parts(path: string): { head: Buffer; chunks: Buffer[] } {
  const bytes = readFileSync(path);
  const start = 8 + bytes[7]!;
  const chunks: Buffer[] = [];
  for (let at = start; at < bytes.length; at += chunks.at(-1)!.length)
    chunks.push(bytes.subarray(at, at + 4 + bytes.readUInt32BE(at)));
  return { head: bytes.subarray(0, start), chunks };
}

function rewrite(path: string, change: (chunks: Buffer[]) => Buffer[]): void {
  const { head, chunks } = parts(path);
  if (chunks.length < 3) throw new Error('the attack needs a recording of several chunks');
  writeFileSync(path, Buffer.concat([head, ...change(chunks)]));
}

const changed = (what: string) => ({ kind: 'changed', file: '', what }) as const;
const added = (what: string) => ({ kind: 'added', file: '', what }) as const;
const other = 'is not the one that its session sealed';

export const recordingAttacks: readonly FileAttack[] = [
  {
    name: 'a byte of a chunk',
    run(on) {
      const bytes = readFileSync(files(on)[0]!);
      bytes[bytes.length - 9]! ^= 1;
      writeFileSync(files(on)[0]!, bytes);
    },
    found: changed(other),
  },
  {
    name: 'the key id in the header',
    run(on) {
      const bytes = readFileSync(files(on)[0]!);
      bytes[9]! ^= 1;
      writeFileSync(files(on)[0]!, bytes);
    },
    found: changed(other),
  },
  {
    name: 'two recordings swapped',
    run(on) {
      const [a, b] = files(on) as [string, string];
      renameSync(a, `${a}.x`);
      renameSync(b, a);
      renameSync(`${a}.x`, b);
    },
    found: changed(''),
  },
  {
    name: 'two chunks swapped',
    run: (on) => rewrite(files(on)[1]!, ([a, b, ...rest]) => [b!, a!, ...rest]),
    found: changed(''),
  },
  {
    name: 'a chunk removed',
    run: (on) => rewrite(files(on)[1]!, ([a, ...rest]) => [a!, ...rest.slice(1)]),
    found: changed('bytes and its session sealed'),
  },
  {
    name: 'a chunk twice',
    run: (on) => rewrite(files(on)[1]!, ([a, ...rest]) => [a!, a!, ...rest]),
    found: changed('bytes and its session sealed'),
  },
  {
    name: 'a chunk of another recording',
    run(on) {
      const [a, b] = files(on) as [string, string];
      const { chunks } = parts(b);
      rewrite(a, (own) => [chunks[0]!, ...own.slice(1)]);
    },
    found: changed(''),
  },
  {
    name: 'the end of a recording cut at a chunk',
    run: (on) => rewrite(files(on)[1]!, (chunks) => chunks.slice(0, -1)),
    found: changed('bytes and its session sealed'),
  },
  {
    name: 'the end of a recording cut inside a chunk',
    run: (on) => truncateSync(files(on)[1]!, readFileSync(files(on)[1]!).length - 3),
    found: changed('bytes and its session sealed'),
  },
  {
    name: 'bytes behind the last chunk',
    run: (on) => writeFileSync(files(on)[1]!, 'x', { flag: 'a' }),
    found: changed('bytes and its session sealed'),
  },
  {
    name: 'a recording replaced by one of another log',
    run: (on, { stranger }) => cpSync(files(stranger)[0]!, files(on)[0]!),
    found: changed(''),
  },
  {
    name: 'a recording removed',
    run: (on) => rmSync(files(on)[2]!),
    found: { kind: 'missing', file: '', what: 'the recording is missing' },
  },
  {
    name: 'all recordings removed',
    run(on) {
      rmSync(on.recordings, { recursive: true });
      mkdirSync(on.recordings);
    },
    found: { kind: 'missing', file: '', what: 'the recording is missing' },
  },
  {
    name: 'a recording of no session',
    run(on) {
      mkdirSync(join(on.recordings, 'zz'));
      cpSync(files(on)[0]!, join(on.recordings, 'zz', 'zz-made-up.rec'));
    },
    found: added('no session of the ledger'),
  },
  {
    name: 'a recording under a second name',
    run: (on) => cpSync(files(on)[0]!, join(dirname(files(on)[0]!), 'copy.rec')),
    found: added('no session of the ledger'),
  },
  {
    name: 'a recording that is a symbolic link',
    run(on) {
      const path = files(on)[0]!;
      renameSync(path, join(on.root, 'away.rec'));
      symlinkSync(join(on.root, 'away.rec'), path);
    },
    found: added('is no recording'),
  },
  {
    name: 'an odd file among the recordings',
    run: (on) => writeFileSync(join(on.recordings, 'read.me'), 'x'),
    found: added('is no recording'),
  },
  {
    name: 'a recording of a terabyte of empty chunks',
    run: (on) => truncateSync(files(on)[0]!, 1_000_000_000_000),
    found: changed('bytes and its session sealed'),
  },
  {
    name: 'an emptied recording',
    run: (on) => writeFileSync(files(on)[0]!, ''),
    found: changed('bytes and its session sealed'),
  },
];
