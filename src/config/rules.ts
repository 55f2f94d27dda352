// What no single field can say: references between parts, names that must differ, and TLS where secrets would travel.
import { isWitness, NoteError, parseVkey } from '../ledger/note.ts';
import type { MaskMethod } from '../domain/mask.ts';
import { objectsRules } from './objects-rules.ts';
import { outletRules } from './outlet-rules.ts';
import { type Broken, isLoopback, secureOrLoopback, twins } from './rule-parts.ts';
import type { Settings } from './schema.ts';

/** Every broken rule, in the order of the file. */
export function brokenRules(settings: Settings): Broken[] {
  return [
    ...listenerRules(settings),
    ...signInRules(settings),
    ...consoleRules(settings),
    ...issuerRules(settings),
    ...certificateRules(settings),
    ...targetRules(settings),
    ...maskRules(settings),
    ...witnessRules(settings),
    ...objectsRules(settings, isLoopback),
    ...outletRules(settings),
    ...receiptRules(settings),
  ];
}

function listenerRules({ listeners }: Settings): Broken[] {
  const broken = twins(
    ['listeners'],
    'port',
    listeners.map(({ address, port }) => (port === 0 ? undefined : `${address}:${port}`)),
    'another listener has this address and port: choose another port',
  );
  for (const [index, listener] of listeners.entries()) {
    if (listener.tls) continue;
    const path = ['listeners', index];
    if (listener.plaintext === 'refuse')
      broken.push({
        path,
        message: 'nobody could sign in: add tls, or plaintext: loopback for clients on this machine',
      });
    else if (!isLoopback(listener.address))
      broken.push({
        path: [...path, 'address'],
        message: 'tokens would travel in the clear: add tls, or listen on 127.0.0.1',
      });
  }
  return broken;
}

/** A method that can never be reached, or never succeed, is an error of whoever wrote it. */
function signInRules({ listeners, issuers, certificates }: Settings): Broken[] {
  const broken: Broken[] = [];
  for (const [index, { signIn, oauth, tls }] of listeners.entries()) {
    const path = ['listeners', index];
    const say = (at: (string | number)[], message: string) => broken.push({ path: [...path, ...at], message });
    if (signIn.some((method, at) => (method === 'certificate' ? at > 0 : at < signIn.length - 1)))
      say(
        ['signIn'],
        'the second is never reached: write certificate first, and make a listener for each of token-password and oauthbearer',
      );
    const byCertificate = signIn.includes('certificate');
    if (byCertificate && !tls?.clientCa)
      say(['signIn'], 'no client certificate can be verified: add tls.clientCa, or leave certificate out');
    if (byCertificate && certificates.length === 0)
      say(['signIn'], 'no client certificate means anybody: add certificates, or leave certificate out');
    if (!byCertificate && tls?.clientCa)
      say(['tls', 'clientCa'], 'client certificates are not used: add certificate to signIn, or leave clientCa out');
    const byBearer = signIn.includes('oauthbearer');
    if (byBearer && !oauth) say(['signIn'], 'clients cannot learn where tokens come from: add oauth: { issuer: NAME }');
    if (!byBearer && oauth) say(['oauth'], 'it is not used: add oauthbearer to signIn, or leave oauth out');
    if (oauth) broken.push(...discoverable(oauth.issuer, issuers, [...path, 'oauth', 'issuer']));
  }
  return broken;
}

function witnessRules({ ledger }: Settings): Broken[] {
  const path = ['ledger', 'witnesses'];
  const broken = twins(
    path,
    'key',
    ledger.witnesses.map((witness) => witness.key),
    'this witness is named twice: leave one out',
  );
  for (const [index, { key, url }] of ledger.witnesses.entries()) {
    try {
      if (!isWitness(parseVkey(key))) throw new NoteError('it is the key of a log');
    } catch (error) {
      if (!(error instanceof NoteError)) throw error;
      const message = `${error.message}: write the line that "countersign witness init" printed`;
      broken.push({ path: [...path, index, 'key'], message });
    }
    const { protocol, hostname } = new URL(url);
    if (protocol === 'http:' && !isLoopback(hostname))
      broken.push({ path: [...path, index, 'url'], message: 'use https: the way there is not this machine' });
  }
  return broken;
}

function receiptRules({ ledger: { receipts } }: Settings): Broken[] {
  if (!receipts) return [];
  const { tls, host, user, password } = receipts.smtp;
  const path = ['ledger', 'receipts', 'smtp'];
  const broken: Broken[] = [];
  if (tls === 'none' && !isLoopback(host))
    broken.push({ path: [...path, 'tls'], message: 'use starttls or implicit: the way there is not this machine' });
  if ((user === undefined) !== (password === undefined))
    broken.push({ path, message: 'user and password go together: write both or neither' });
  return broken;
}

function certificateRules({ certificates }: Settings): Broken[] {
  return twins(
    ['certificates'],
    'name',
    certificates.map((entry) => entry.name),
    'another entry has this name: choose another',
  );
}

function discoverable(wanted: string, issuers: Settings['issuers'], path: (string | number)[]): Broken[] {
  const issuer = issuers.find((candidate) => candidate.name === wanted);
  if (!issuer)
    return [{ path, message: `no issuer has this name: write one of ${issuers.map((one) => one.name).join(', ')}` }];
  if (!issuer.discovery)
    return [{ path, message: `sign-in needs an issuer with discovery: true, and ${issuer.name} has none` }];
  return [];
}

function consoleRules({ console: part, issuers, approvals }: Settings): Broken[] {
  const broken: Broken[] = [...origin(part.url, ['console', 'url'])];
  if (approvals.url !== undefined) broken.push(...origin(approvals.url, ['approvals', 'url']));
  if (part.tls && !part.url.startsWith('https:'))
    broken.push({ path: ['console', 'url'], message: 'the console has tls: write https://' });
  if (part.signIn) broken.push(...discoverable(part.signIn.issuer, issuers, ['console', 'signIn', 'issuer']));
  return broken;
}

function issuerRules({ issuers }: Settings): Broken[] {
  const broken = [
    ...twins(
      ['issuers'],
      'name',
      issuers.map((issuer) => issuer.name),
      'another issuer has this name: choose another',
    ),
    ...twins(
      ['issuers'],
      'issuer',
      issuers.map((issuer) => issuer.issuer),
      'another entry is for this issuer: list all audiences in one entry',
    ),
  ];
  for (const [index, issuer] of issuers.entries()) {
    const path = ['issuers', index];
    if (issuer.discovery && issuer.jwks)
      broken.push({ path: [...path, 'jwks'], message: 'there is discovery: true already: keep one of the two' });
    if (!issuer.discovery && !issuer.jwks)
      broken.push({ path, message: 'its keys cannot be found: write discovery: true, or jwks: { file: path }' });
    if (!secureOrLoopback(issuer.issuer))
      broken.push({ path: [...path, 'issuer'], message: 'keys would travel unprotected: write https://' });
    const { kind } = issuer.principal;
    if (typeof kind === 'string') continue;
    const values = [...(kind.agent ?? []), ...(kind.human ?? []), ...(kind.service ?? [])];
    const at = [...path, 'principal', 'kind'];
    if (values.length === 0)
      broken.push({ path: at, message: 'no value means anything: list values for agent, human or service' });
    if (new Set(values).size < values.length)
      broken.push({ path: at, message: 'a value stands for two kinds: list each value once' });
  }
  return broken;
}

function targetRules({ targets }: Settings): Broken[] {
  const broken = twins(
    ['targets'],
    'name',
    targets.map((target) => target.name),
    'another target has this name: choose another',
  );
  for (const [index, target] of targets.entries()) {
    const path = ['targets', index];
    const { mode, ca, cert, key } = target.tls;
    if (!target.databases.includes(target.database))
      broken.push({ path: [...path, 'databases'], message: `the default database is missing: add ${target.database}` });
    if (mode === 'disable' && (ca ?? cert ?? key))
      broken.push({
        path: [...path, 'tls'],
        message: 'mode: disable uses no certificates: remove them or choose another mode',
      });
    if (mode === 'verify-ca' && !ca)
      broken.push({ path: [...path, 'tls'], message: 'verify-ca trusts any name under ca: add ca: { file: path }' });
    for (const [at, rule] of target.labels.entries())
      if (rule.columns === undefined && rule.type === undefined && rule.comment === undefined)
        broken.push({
          path: [...path, 'labels', at],
          message: 'it names no column: add columns, type or comment',
        });
    if ((cert === undefined) !== (key === undefined))
      broken.push({ path: [...path, 'tls'], message: 'a client certificate needs cert and key: add the missing one' });
  }
  return broken;
}

/** A URL that is an origin: https or loopback, nothing behind the host. */
function origin(url: string, path: readonly string[]): Broken[] {
  const parsed = new URL(url);
  if (!secureOrLoopback(url)) return [{ path, message: 'sign-in would travel in the clear: write https://' }];
  if (parsed.origin !== url) return [{ path, message: `write the origin alone: ${parsed.origin}` }];
  return [];
}

const parameters = ['keep', 'value', 'size', 'to'] as const;
const parameterOf: Partial<Record<MaskMethod, { name: (typeof parameters)[number]; example?: string }>> = {
  partial: { name: 'keep' },
  constant: { name: 'value', example: 'value: "(hidden)"' },
  bucket: { name: 'size', example: 'size: 1000' },
  date: { name: 'to', example: 'to: year' },
};

/** A method has its own parameter and no other one. */
function maskRules({ masks }: Settings): Broken[] {
  return Object.entries(masks).flatMap(([name, of]) => {
    const own = parameterOf[of.method];
    const path = ['masks', name];
    const strange = parameters.filter((key) => of[key] !== undefined && key !== own?.name);
    if (strange.length > 0) return [{ path, message: `${of.method} has no ${strange[0]}: leave it out` }];
    if (own?.example === undefined || of[own.name] !== undefined) return [];
    return [{ path, message: `${of.method} needs its parameter: write { method: ${of.method}, ${own.example} }` }];
  });
}
