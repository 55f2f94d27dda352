// Locks over a real ledger: who they are against, that they last, and that each is on record.
import { afterEach, expect, test } from 'vitest';
import { ledgerPlace } from '../../test/peers/ledger.ts';
import { verifies } from '../../test/requirements.ts';
import { isLocked, type LockKind } from '../domain/lock.ts';
import type { Principal } from '../domain/principal.ts';
import { openKeyring } from '../ledger/keyring.ts';
import { openLedger } from '../ledger/ledger.ts';
import { readJournal } from '../ledger/read-journal.ts';
import { openKeptLocks } from '../store/locks.ts';
import { openLocks } from './locks.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const principal = (of: Partial<Principal>): Principal => ({
  kind: 'agent',
  issuer: 'https://id',
  subject: 'bot',
  name: 'Bot',
  groups: ['agents'],
  owner: 'Ada@corp.example',
  claims: {},
  delegation: [],
  credential: { type: 'jwt', sha256: '' },
  ...of,
});
const admin = principal({ kind: 'human', subject: 'dana', name: 'Dana', groups: ['dba'], owner: undefined });

async function place() {
  const at = await ledgerPlace();
  ends.push(() => at.remove());
  const { ledger } = await openLedger(at);
  ends.push(() => ledger.close());
  let passed = 0;
  const open = () => {
    const kept = openKeptLocks(at.state);
    ends.push(() => kept.close());
    return openLocks({ ledger, kept, now: () => Date.now() + passed });
  };
  return { at, ledger, open, pass: (ms: number) => (passed += ms) };
}

test('whom a lock is against', () => {
  const cases: [LockKind, string, boolean][] = [
    ['principal', 'https://id|bot', true],
    ['principal', 'https://id|Bot', false],
    ['owner', ' ada@CORP.example ', true],
    ['owner', 'bea@corp.example', false],
    ['group', 'agents', true],
    ['group', 'agent', false],
    ['target', 'shop', true],
    ['target', 'shop2', false],
  ];
  for (const [kind, value, is] of cases)
    expect(isLocked({ kind, value }, principal({}), 'shop'), `${kind} ${value}`).toBe(is);
  const ada = principal({ kind: 'human', subject: 'ada', owner: undefined, email: 'ada@corp.example' });
  expect(isLocked({ kind: 'owner', value: 'ada@corp.example' }, ada, 'shop')).toBe(true);
  // An agent's own e-mail claim does not make it its owner.
  expect(isLocked({ kind: 'owner', value: 'x@corp.example' }, principal({ email: 'x@corp.example' }), 'shop')).toBe(
    false,
  );
});

test(
  verifies(
    'identity.never-defaulted',
    'a lock is obeyed at once, across a restart, until it is lifted; both are on record',
  ),
  async () => {
    const { at, open } = await place();
    const locks = open();
    const told: [boolean, string][] = [];
    locks.onSet((match, fault) => {
      told.push([match(principal({}), 'shop'), fault.message]);
      return 7;
    });
    expect(locks.against(principal({}), 'shop')).toBeUndefined();
    const setting = locks.set({ kind: 'owner', value: 'ada@corp.example', reason: 'left' }, admin);
    // In the same turn, before its entry is durable.
    expect(told).toEqual([[true, 'An administrator locked this access: left.']]);
    expect(locks.against(principal({}), 'shop')).toMatchObject({ code: 'sign-in.locked' });
    const { lock, ended } = await setting;
    expect(ended).toBe(7);
    const after = open();
    expect(after.list()).toMatchObject([{ id: lock.id, entry: lock.entry }]);
    expect(after.against(principal({}), 'shop')).toMatchObject({ code: 'sign-in.locked' });
    expect(await after.lift(lock.id, admin, 'back')).toMatchObject({ id: lock.id });
    expect(await after.lift(lock.id, admin, 'back')).toBeUndefined();
    expect(after.against(principal({}), 'shop')).toBeUndefined();
    const keys = openKeyring(at.state);
    const entries: unknown[] = [];
    for await (const { entry, payload } of readJournal(at.folder, 0, keys))
      if (entry.t.startsWith('lock.')) entries.push({ t: entry.t, x: entry.x, payload });
    keys.close();
    expect(entries).toMatchObject([
      {
        t: 'lock.set',
        x: { lock: lock.id, kind: 'owner', ended: 7 },
        payload: { admin: { value: 'ada@corp.example', by: 'https://id|dana', reason: 'left' } },
      },
      { t: 'lock.lift', x: { lock: lock.id }, payload: { admin: { by: 'https://id|dana', reason: 'back' } } },
    ]);
  },
);

test('a lock for a time ends by itself', async () => {
  const { open, pass } = await place();
  const locks = open();
  await locks.set({ kind: 'target', value: 'shop', reason: 'incident', forMs: 60_000 }, admin);
  expect(locks.against(principal({}), 'shop')!.message).toMatch(/It ends at \d{4}-/);
  pass(60_001);
  expect(locks.against(principal({}), 'shop')).toBeUndefined();
  expect(locks.list()).toEqual([]);
});

test('a lock whose entry cannot be written is obeyed all the same', async () => {
  const { ledger, open } = await place();
  const locks = open();
  await ledger.close();
  await expect(locks.set({ kind: 'group', value: 'agents', reason: 'x' }, admin)).rejects.toThrow();
  expect(locks.against(principal({}), 'shop')).toMatchObject({ code: 'sign-in.locked' });
});
