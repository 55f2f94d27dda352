// Keys of sessions: ready before they are needed, whoever wraps them; and gone for good when they are destroyed.
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, expect, test } from 'vitest';
import { verifies } from '../../test/requirements.ts';
import { type KeyProvider, providerDown, severalProviders, storedForm } from './key-provider.ts';
import { openKeyring } from './keyring.ts';
import { createKeys, type KeyPool, type KeyStatus, openKeyPool } from './keys.ts';
import { destroyKeys } from './keys-destruction.ts';
import { createMasterKey, fileKeyProvider, masterKeys } from './master-key.ts';
import { recordingKey } from './session-key.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0).toReversed()) close();
});

function place(): string {
  const state = mkdtempSync(join(tmpdir(), 'keys-'));
  closers.push(() => rmSync(state, { recursive: true, force: true }));
  createMasterKey(state);
  createKeys(state);
  return state;
}

async function pool(state: string, provider: KeyProvider, more: object = {}): Promise<KeyPool> {
  const opened = await openKeyPool({ state, provider, retryMs: 5, mostRetryMs: 20, ...more });
  closers.push(() => opened.close());
  return opened;
}

/** A provider that is elsewhere, and may be away. */
function remote(): KeyProvider & { down: boolean; asked: number } {
  const inner = masterKeys('test', randomBytes(32), [], false);
  const of = {
    label: inner.label,
    opens: inner.opens,
    down: false,
    asked: 0,
    async wrap(keys: Parameters<KeyProvider['wrap']>[0]) {
      of.asked++;
      if (of.down) throw providerDown('test', 'no answer');
      return inner.wrap(keys);
    },
    async unwrap(keys: Parameters<KeyProvider['unwrap']>[0]) {
      of.asked++;
      if (of.down) throw providerDown('test', 'no answer');
      return inner.unwrap(keys);
    },
  };
  return of;
}

const bytesOf = (state: string) =>
  Buffer.concat(
    readdirSync(state)
      .filter((name) => name.startsWith('keys.sqlite'))
      .map((name) => readFileSync(join(state, name))),
  );

test('a local provider is never dry, and keys are opened again by whoever reads', async () => {
  const state = place();
  const provider = fileKeyProvider(state);
  const of = await pool(state, provider);
  const taken = Array.from({ length: 200 }, () => of.take());
  const keyring = openKeyring(state);
  closers.push(keyring.close);
  const opened = await keyring.open(taken.map(({ id }) => id));
  expect(opened.size).toBe(200);
  for (const key of taken) expect(recordingKey(opened.get(key.id)!, 's')).toEqual(recordingKey(key, 's'));
  expect(new Set(taken.map(({ id }) => id)).size).toBe(200);
});

test(
  verifies(
    'ledger.down-stops',
    'a provider that is away: the pool drains, then refuses with words, and fills again by itself',
  ),
  async () => {
    const state = place();
    const provider = remote();
    const told: KeyStatus[] = [];
    const of = await pool(state, provider, { told: (status: KeyStatus) => told.push(status) });
    const { ready } = of.status();
    expect(ready).toBeGreaterThanOrEqual(384);
    const asked = provider.asked;
    provider.down = true;
    for (let n = 0; n < ready; n++) of.take();
    expect(provider.asked).toBe(asked);
    expect(() => of.take()).toThrow('the key provider does not answer');
    await expect.poll(() => told.length).toBe(1);
    expect(told[0]!.failing?.code).toBe('ledger.unavailable');
    provider.down = false;
    await expect.poll(() => of.status().ready).toBeGreaterThanOrEqual(384);
    expect(of.take().id).toHaveLength(16);
    expect(of.status().failing).toBeUndefined();
    expect(told).toHaveLength(2);
  },
);

test('a provider that is away when the pool is opened is a refusal, and leaves no row', async () => {
  const state = place();
  const provider = remote();
  provider.down = true;
  await expect(openKeyPool({ state, provider })).rejects.toMatchObject({ code: 'ledger.unavailable' });
  const db = new DatabaseSync(join(state, 'keys.sqlite'), { readOnly: true });
  expect(db.prepare('SELECT count(*) AS n FROM keys').get()).toEqual({ n: 0 });
  db.close();
});

test('a reader asks once for many keys, remembers them, and never opens a destroyed one', async () => {
  const state = place();
  const provider = remote();
  const of = await pool(state, provider);
  const ids = Array.from({ length: 50 }, () => of.take().id);
  const keyring = openKeyring(state, provider);
  closers.push(keyring.close);
  const asked = provider.asked;
  const first = await keyring.open(ids);
  await keyring.open(ids);
  expect(provider.asked).toBe(asked + 1);
  destroyKeys(state, [ids[0]!]);
  provider.down = true;
  const left = await keyring.open(ids);
  expect(left.has(ids[0]!)).toBe(false);
  expect(left.size).toBe(49);
  // What was handed out before is of no use either.
  expect(() => recordingKey(first.get(ids[0]!)!, 's')).toThrow(TypeError);
  const another = openKeyring(state, provider);
  await expect(another.open(ids)).rejects.toMatchObject({ code: 'ledger.unavailable' });
  another.close();
});

test('after a destruction the wrapped key is in no file: not in the database, its log, or a free page', async () => {
  const state = place();
  const of = await pool(state, fileKeyProvider(state));
  const ids = Array.from({ length: 3_000 }, () => of.take().id);
  const db = new DatabaseSync(join(state, 'keys.sqlite'), { readOnly: true });
  const wrapped = new Map(
    ids.map((id) => [
      id,
      Buffer.from(db.prepare('SELECT wrapped FROM keys WHERE id = ?').get(id)!.wrapped as Uint8Array),
    ]),
  );
  db.close();
  expect(bytesOf(state).includes(wrapped.get(ids[0]!)!)).toBe(true);
  const gone = ids.filter((_, at) => at % 3 === 0);
  expect(destroyKeys(state, gone)).toBe(1_000);
  const bytes = bytesOf(state);
  // Label and id stand in the clear; of the key itself nothing may be left, not even a part.
  expect(gone.filter((id) => bytes.includes(wrapped.get(id)!.subarray(-40)))).toEqual([]);
  expect(gone.filter((id) => bytes.includes(id))).toEqual([]);
  expect(ids.filter((id) => bytes.includes(wrapped.get(id)!))).toHaveLength(2_000);
  expect(existsSync(join(state, 'keys.sqlite'))).toBe(true);
});

test('a wrapped key opens under its own id and its own master key only', async () => {
  const state = place();
  const provider = fileKeyProvider(state);
  const dek = randomBytes(32);
  const [wrapped] = await provider.wrap([{ id: 'one', dek }]);
  expect(await provider.unwrap([{ id: 'one', wrapped: wrapped! }])).toEqual([dek]);
  expect((await provider.unwrap([{ id: 'two', wrapped: wrapped! }]))[0]).toContain('does not open');
  const other = masterKeys('env', randomBytes(32), [], false);
  const several = severalProviders(other, [provider]);
  expect(await several.unwrap([{ id: 'one', wrapped: wrapped! }])).toEqual([dek]);
  const words = await several.unwrap([
    { id: 'one', wrapped: storedForm('vault:transit/x', Buffer.from('x')) },
    { id: 'one', wrapped: Buffer.from('?') },
  ]);
  expect(words[0]).toContain('which no provider of the configuration opens');
  expect(words[1]).toContain('not a wrapped key');
});

test('a new master key takes over, and the old one opens what it wrapped until nothing needs it', async () => {
  const state = place();
  const provider = fileKeyProvider(state);
  const reader = fileKeyProvider(state);
  const dek = randomBytes(32);
  const [old] = await provider.wrap([{ id: 'one', dek }]);
  const before = provider.label;
  provider.renew!();
  expect(provider.label).not.toBe(before);
  const [fresh] = await provider.wrap([{ id: 'two', dek }]);
  for (const by of [provider, reader, fileKeyProvider(state)])
    expect(
      await by.unwrap([
        { id: 'one', wrapped: old! },
        { id: 'two', wrapped: fresh! },
      ]),
    ).toEqual([dek, dek]);
  provider.forgetOld!();
  expect(await provider.unwrap([{ id: 'two', wrapped: fresh! }])).toEqual([dek]);
  expect((await provider.unwrap([{ id: 'one', wrapped: old! }]))[0]).toContain('is not there');
});
