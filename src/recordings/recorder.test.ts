// Recordings written and read back for real, in a temporary folder.
import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { emptyRoot } from '../ledger/hash.ts';
import type { KeyOpener } from '../ledger/keyring.ts';
import { type SessionKey, sessionKey } from '../ledger/session-key.ts';
import { openFile } from '../ledger/disk-folder.ts';
import { measureRecording } from '../ledger/verify-recordings.ts';
import { readRecording, recoverRecording } from './reading.ts';
import { openRecorder } from './recorder.ts';

const session = 'abcdef-1';
const roots: string[] = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true });
});

function place(): { folder: string; path: string; key: SessionKey; opener: KeyOpener } {
  const folder = mkdtempSync(join(tmpdir(), 'recordings-'));
  roots.push(folder);
  const key = sessionKey('key-1', randomBytes(32));
  return {
    folder,
    path: join(folder, 'ab', `${session}.rec`),
    key,
    opener: { open: async () => new Map([[key.id, key]]), forget() {}, close() {} },
  };
}

async function all(folder: string, opener: KeyOpener) {
  const frames = [];
  for await (const frame of readRecording(folder, session, opener)) frames.push(frame);
  return frames;
}

const measured = async (path: string) => measureRecording((await openFile(path))!);

test('what was written is read back in order, whatever its size', async () => {
  const { folder, path, key, opener } = place();
  const recorder = openRecorder({ folder, session, key });
  const given = [1, 0, 5000, 300_000, 3, 262_133, 262_134, 70_000].map((length, i) => ({
    kind: (['client', 'target', 'meta'] as const)[i % 3]!,
    at: 1_700_000_000_000 + i,
    bytes: randomBytes(length),
  }));
  for (const { kind, at, bytes } of given) recorder.write(kind, at, bytes);
  const sealed = await recorder.seal();
  expect(await recorder.seal()).toBe(sealed);
  expect(await all(folder, opener)).toEqual(given);
  expect(await measured(path)).toEqual({ ...sealed, rest: 0 });
  expect(recorder.bytes).toBe(given.reduce((sum, { bytes }) => sum + bytes.length, 0));
  expect(() => recorder.write('meta', 0, randomBytes(1))).toThrow('ended');
});

test('bytes are copied: the caller may reuse its buffer', async () => {
  const { folder, key, opener } = place();
  const recorder = openRecorder({ folder, session, key });
  const bytes = Buffer.from('before');
  recorder.write('client', 1, bytes);
  bytes.fill(0);
  await recorder.seal();
  expect((await all(folder, opener))[0]!.bytes.toString()).toBe('before');
});

test('a session that recorded nothing has no file and the root of nothing', async () => {
  const { folder, key, opener } = place();
  const sealed = await openRecorder({ folder, session, key }).seal();
  expect(sealed).toEqual({ chunks: 0, bytes: 0, root: emptyRoot.toString('hex') });
  expect(await all(folder, opener)).toEqual([]);
  expect(await recoverRecording(folder, session)).toEqual({ ...sealed, dropped: 0 });
});

test('nothing readable is in the file', async () => {
  const { folder, path, key } = place();
  const recorder = openRecorder({ folder, session, key });
  recorder.write('client', 1, Buffer.from('select name from person'.repeat(100)));
  await recorder.seal();
  expect(readFileSync(path).includes('person')).toBe(false);
});

test('every changed byte is found, with the key and without', async () => {
  const { folder, path, key, opener } = place();
  const recorder = openRecorder({ folder, session, key });
  recorder.write('client', 1, Buffer.from('a'));
  await recorder.flush();
  recorder.write('target', 2, Buffer.from('b'));
  const sealed = await recorder.seal();
  const good = readFileSync(path);
  for (let i = 0; i < good.length; i++) {
    const bad = Buffer.from(good);
    bad[i] = bad[i]! ^ 1;
    writeFileSync(path, bad);
    expect(await measured(path)).not.toEqual({ ...sealed, rest: 0 });
    const read = await all(folder, opener).catch(() => []);
    expect(read.length).toBeLessThan(2);
  }
});

test('a torn chunk is dropped and the rest is kept', async () => {
  const { folder, path, key, opener } = place();
  const recorder = openRecorder({ folder, session, key });
  recorder.write('client', 1, Buffer.from('kept'));
  await recorder.flush();
  const whole = await measured(path);
  recorder.write('client', 2, Buffer.from('torn'));
  await recorder.seal();
  truncateSync(path, (await measured(path)).bytes - 3);
  expect((await all(folder, opener)).map(({ bytes }) => bytes.toString())).toEqual(['kept']);
  const recovered = await recoverRecording(folder, session);
  expect(recovered).toMatchObject({ chunks: 1, bytes: whole.bytes, root: whole.root });
  expect(recovered.dropped).toBeGreaterThan(0);
  expect((await measured(path)).rest).toBe(0);
  truncateSync(path, 4);
  expect(await recoverRecording(folder, session)).toMatchObject({ chunks: 0, bytes: 0, dropped: 4 });
});

test('a recording is never continued: its nonces would repeat', async () => {
  const { folder, key } = place();
  const first = openRecorder({ folder, session, key });
  first.write('client', 1, Buffer.from('a'));
  await first.seal();
  const second = openRecorder({ folder, session, key });
  second.write('client', 1, Buffer.from('b'));
  await expect(second.seal()).rejects.toThrow('cannot be recorded');
});

test('a failed or short write stops the recorder for good', async () => {
  for (const write of [() => Promise.reject(new Error('no space')), async () => ({ bytesWritten: 1, buffer: '' })]) {
    const { folder, key } = place();
    const openFile = async (): Promise<never> => ({ write, datasync: async () => {}, close: async () => {} }) as never;
    const recorder = openRecorder({ folder, session, key, openFile });
    recorder.write('client', 1, Buffer.from('a'));
    await expect(recorder.flush()).rejects.toMatchObject({ code: 'ledger.unavailable' });
    expect(() => recorder.write('client', 1, Buffer.from('a'))).toThrow();
    await expect(recorder.drained()).rejects.toMatchObject({ code: 'ledger.unavailable' });
    await expect(recorder.seal()).rejects.toMatchObject({ code: 'ledger.unavailable' });
  }
});

test('a slow disk makes it full, not large', async () => {
  const { folder, key, opener } = place();
  const go = Promise.withResolvers<void>();
  const openFile = async (path: string) => {
    await go.promise;
    appendFileSync(join(folder, 'slow'), '');
    const { mkdir } = await import('node:fs/promises');
    await mkdir(join(folder, 'ab'), { recursive: true });
    return open(path, 'wx');
  };
  const recorder = openRecorder({ folder, session, key, openFile });
  const bytes = randomBytes(64 * 1024);
  let written = 0;
  while (recorder.write('target', 1, bytes)) if (++written > 200) throw new Error('never full');
  expect(recorder.full).toBe(true);
  expect(recorder.bytes).toBeLessThan(6 * 1024 * 1024);
  go.resolve();
  await recorder.drained();
  expect(recorder.full).toBe(false);
  await recorder.seal();
  expect((await all(folder, opener)).length).toBe(written + 1);
});

test('a destroyed key is told apart from damage, and a session id cannot leave the folder', async () => {
  const { folder, key } = place();
  const recorder = openRecorder({ folder, session, key });
  recorder.write('client', 1, Buffer.from('a'));
  await recorder.seal();
  await expect(all(folder, { open: async () => new Map(), forget() {}, close() {} })).rejects.toThrow('destroyed');
  await expect(recoverRecording(folder, '../x')).rejects.toThrow('not a session id');
  expect(() => openRecorder({ folder, session: '../../etc', key })).toThrow('session id');
});
