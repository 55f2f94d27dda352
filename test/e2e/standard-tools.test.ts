// A ledger checked with a shell, openssl and coreutils alone: scripts/check-ledger.sh on real logs, good and damaged.
import { spawnSync } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeReceipt } from '../../src/holders/receipt.ts';
import { openTimestamping } from '../../src/holders/timestamping.ts';
import { disk } from '../../src/ledger/disk.ts';
import { leafHash } from '../../src/ledger/hash.ts';
import { openLedger } from '../../src/ledger/ledger.ts';
import { cosign, formatCheckpoint, formatVkey, parseNote, parseVkey, signNote } from '../../src/ledger/note.ts';
import { verifyLedger } from '../../src/ledger/verify-disk.ts';
import { fillLedger, type LedgerPlace, ledgerPlace } from '../peers/ledger.ts';
import { type TimestampAuthority, timestampAuthority } from '../peers/timestamp-authority.ts';
import { verifies } from '../requirements.ts';

const script = resolve(import.meta.dirname, '../../scripts/check-ledger.sh');
const witnessKeys = generateKeyPairSync('ed25519');
const witness = formatVkey('witness.test', witnessKeys.publicKey, 'witness');

let place: LedgerPlace;
let authority: TimestampAuthority;
let receipt: string;
let early: string;

beforeAll(async () => {
  authority = await timestampAuthority();
  place = await ledgerPlace();
  const { ledger } = await openLedger(place);
  await fillLedger(ledger, 1, 9);
  await ledger.checkpointNow();
  early = readFileSync(join(place.folder, 'checkpoint'), 'utf8');
  receipt = (await makeReceipt(place.folder, parseVkey(place.vkey), { size: 0, at: 0 }, Date.now())).text;
  const stamped = Promise.withResolvers<void>();
  const stamping = openTimestamping({
    folder: place.folder,
    temporary: join(place.state, 'tmp'),
    disk,
    ledger,
    url: authority.url,
    ca: authority.ca,
    everyMs: 3_600_000,
    patienceMs: 5_000,
    fetch: globalThis.fetch,
    now: Date.now,
    stamped: () => stamped.resolve(),
    failed: (why) => stamped.reject(new Error(why)),
  });
  await stamped.promise;
  await stamping.close();
  for (let i = 0; i < 11; i++) ledger.append({ type: 'heartbeat', facts: {} }, 'written');
  await ledger.close();
  const checkpoint = readFileSync(join(place.folder, 'checkpoint'), 'utf8');
  const line = cosign(parseNote(checkpoint).text, parseVkey(witness), witnessKeys.privateKey, 1_700_000_000);
  writeFileSync(join(place.folder, 'checkpoint.cosigned'), checkpoint + line);
  writeFileSync(join(place.root, 'witness.vkey'), `${witness}\n`);
  expect(
    (await verifyLedger(place.folder, place.vkey, { witnesses: [witness], kept: [early] })).failure,
  ).toBeUndefined();
}, 60_000);

afterAll(async () => {
  await authority?.stop();
  place?.remove();
});

interface Wish {
  readonly folder?: string;
  readonly kept?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly key?: string;
}

function check({ folder = place.folder, kept, env = {}, key = join(place.state, 'ledger.vkey') }: Wish = {}) {
  const keptFile = join(place.root, 'kept');
  if (kept !== undefined) writeFileSync(keptFile, kept);
  const args = [script, folder, key, ...(kept === undefined ? [] : [keptFile])];
  const { status, stdout, stderr } = spawnSync('sh', args, { encoding: 'utf8', env: { ...process.env, ...env } });
  return { status, said: stdout + stderr };
}

function copy(): string {
  const folder = mkdtempSync(join(place.root, 'copy-'));
  cpSync(place.folder, folder, { recursive: true });
  return folder;
}

const theirs = () => ({ WITNESS: join(place.root, 'witness.vkey'), TSA_CA: authority.caFile });

test(verifies('verifier.alone', 'a shell with openssl checks a whole log, what was kept, cosigned and stamped'), () => {
  const { status, said } = check({ kept: early, env: theirs() });
  expect(said).toMatch(/continues the kept checkpoint of \d+ entries/);
  expect(said).toMatch(/continues the cosigned checkpoint of \d+ entries/);
  expect(said).toMatch(/continues the stamped checkpoint of \d+ entries/);
  expect(said).toMatch(/time stamp of \d+ entries: \w{3} .* GMT/);
  expect(said).toMatch(/right: \d+ entries of the log example\.test\/log/);
  expect(status).toBe(0);
});

test('a receipt is a kept checkpoint too, as text and as a mail', () => {
  for (const kept of [receipt, receipt.replaceAll('\n', '\r\n'), receipt.replace(/^/gm, '> ')]) {
    const { status, said } = check({ kept });
    expect(said).toMatch(/continues the kept checkpoint/);
    expect(status).toBe(0);
  }
});

const flip = (path: string, at: number) => {
  const bytes = readFileSync(path);
  bytes[at] = bytes[at]! ^ 1;
  writeFileSync(path, bytes);
};
/** The one file of a partial tile. */
const partial = (folder: string, level: string) => {
  const path = join(folder, 'tile', level, '000.p');
  return join(path, readdirSync(path)[0]!);
};
const damages: [string, (folder: string) => Wish, RegExp][] = [
  ['an entry', (f) => (flip(partial(f, 'entries'), 900), {}), /entry \d+ is not the one/],
  ['a tile', (f) => (flip(partial(f, '0'), 100), {}), /entry 3 is not the one/],
  [
    'the size in the checkpoint',
    (f) => (flip(join(f, 'checkpoint'), 17), {}),
    /signature of example\.test\/log .* does not verify/,
  ],
  ['a missing bundle', (f) => (rmSync(partial(f, 'entries')), {}), /is missing/],
  [
    'an older copy',
    (f) => (
      writeFileSync(join(f, 'checkpoint'), early), { kept: readFileSync(join(place.folder, 'checkpoint'), 'utf8') }
    ),
    /is missing|set back/,
  ],
  [
    'a changed cosignature',
    (f) => {
      flip(join(f, 'checkpoint.cosigned'), readFileSync(join(f, 'checkpoint.cosigned')).length - 8);
      return { env: theirs() };
    },
    /signature of witness\.test .* does not verify/,
  ],
  [
    'a changed time stamp',
    (f) => {
      const name = readdirSync(join(f, 'timestamps')).find((one) => one.endsWith('.tsr'))!;
      flip(join(f, 'timestamps', name), 200);
      return { env: theirs() };
    },
    /time stamp .* does not verify/,
  ],
  [
    'an entry that was changed with its tile',
    (f) => {
      const [bundle, tile] = [partial(f, 'entries'), partial(f, '0')];
      flip(bundle, 20);
      const bytes = readFileSync(bundle);
      const cells = readFileSync(tile);
      leafHash(bytes.subarray(2, 2 + bytes.readUInt16BE())).copy(cells);
      writeFileSync(tile, cells);
      return {};
    },
    /do not lead to the root/,
  ],
  [
    'another history that the same key signed',
    () => {
      const key = createPrivateKey(readFileSync(join(place.state, 'ledger.key')));
      const text = formatCheckpoint({ origin: 'example.test/log', size: 5, root: Buffer.alloc(32, 7) });
      return { kept: signNote(text, parseVkey(place.vkey), key) };
    },
    /first 5 entries are not those of the kept checkpoint/,
  ],
  ['another key', () => ({ key: join(place.root, 'witness.vkey') }), /not a key of this kind/],
];
test.each(damages)('%s is found', (_name, damage, found) => {
  const folder = copy();
  const wish = damage(folder);
  const { status, said } = check({ folder, ...wish });
  expect(said).toMatch(found);
  expect(status).toBe(1);
});

test('what it is not given right, it says how to use', () => {
  expect(spawnSync('sh', [script], { encoding: 'utf8' })).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('sh check-ledger.sh'),
  });
});
