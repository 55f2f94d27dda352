import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Config, dataPaths, loadConfig, parseConfig } from './config.ts';
import { formatVkey } from '../ledger/note.ts';
import { example } from './example.ts';
import { methodFor } from './masks.ts';
import { ConfigErrors, type ConfigProblem } from './problem.ts';

const minimal = `version: 1
gateway: { name: gw, origin: example.org/gw }
listeners: [{ protocol: postgres, port: 6432, plaintext: loopback }]
console: { url: "http://127.0.0.1:8080" }
issuers:
  - name: one
    issuer: https://one.example
    audience: countersign
    jwks: { file: one.json }
    principal: { kind: agent }
targets:
  - { name: shop, protocol: postgres, host: db, database: shop, credential: { user: u } }
`;

const read = (text: string): Config => parseConfig(text, '/etc/cs/countersign.yaml', 'countersign.yaml');

function problems(text: string): readonly ConfigProblem[] {
  try {
    read(text);
  } catch (error) {
    if (error instanceof ConfigErrors) return error.problems;
    throw error;
  }
  return [];
}

/** The one problem that a change of the minimal configuration makes. */
function problem(from: string, to: string): string {
  expect(minimal).toContain(from);
  const found = problems(minimal.replace(from, to));
  expect(found.map(({ message }) => message)).toHaveLength(1);
  const { line, column, key, message } = found[0]!;
  return `${line}:${column} ${key}: ${message}`;
}

describe('what loads', () => {
  test('the smallest configuration, with defaults on the safe side', () => {
    const config = read(minimal);
    expect(config.listeners[0]).toMatchObject({ address: '127.0.0.1', startupSeconds: 30, maxConnections: 1_000 });
    expect(config.targets[0]).toMatchObject({
      port: 5_432,
      databases: ['shop'],
      tls: { mode: 'verify-full' },
      ack: { read: 'written', write: 'synced' },
      labels: [],
    });
    expect(config.console).toMatchObject({ address: '127.0.0.1', viewers: [], admins: [] });
    expect(config.issuers[0]).toMatchObject({ clockSkewSeconds: 60, algorithms: ['ES256', 'RS256', 'EdDSA'] });
    expect(config.approvals.ttlSeconds).toBe(900);
  });

  test('paths are relative to the file', () => {
    const config = read(minimal);
    expect(config.data).toBe('/etc/cs/data');
    expect(config.policies).toBe('/etc/cs/policies');
    expect(config.issuers[0]?.jwks).toEqual({ file: '/etc/cs/one.json' });
    expect(dataPaths(config).state).toBe('/etc/cs/data/state');
  });

  test('it is frozen all the way down', () => {
    const config = read(example);
    const loose: string[] = [];
    const visit = (value: unknown, path: string): void => {
      if (value === null || typeof value !== 'object') return;
      if (!Object.isFrozen(value)) loose.push(path);
      for (const [key, part] of Object.entries(value)) visit(part, `${path}.${key}`);
    };
    visit(config, 'config');
    expect(loose).toEqual([]);
  });

  test('a file is read, and its digest is that of its bytes', () => {
    const folder = mkdtempSync(join(tmpdir(), 'config-'));
    try {
      const path = join(folder, 'countersign.yaml');
      writeFileSync(path, minimal);
      const config = loadConfig(path);
      expect(config.file).toBe(path);
      expect(config.digest).toBe(read(minimal).digest);
      expect(config.digest).not.toBe(read(`${minimal}\n`).digest);
      expect(() => loadConfig(join(folder, 'other.yaml'))).toThrow(/ENOENT/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('label rules name three parts, as the catalogue reads them', () => {
    const rule = (columns: string) =>
      minimal.replace('host: db', `host: db, labels: [{ columns: '${columns}', label: pii }]`);
    for (const columns of ['public.customers.email', '*.*.email', 'public."odd.name"."a ""b"""'])
      expect(read(rule(columns)).targets[0]?.labels[0]?.columns).toBe(columns);
    for (const columns of ['email', 'a.b', 'a.b.c.d', 'a.b.', '"a.b.c', 'a..c'])
      expect(problems(rule(columns))[0]?.message).toMatch(/^write schema\.relation\.column/);
  });

  test('label rules go by columns, type and comment, and by at least one of them', () => {
    const rule = (text: string) => minimal.replace('host: db', `host: db, labels: [{ ${text}, label: pii }]`);
    for (const text of ['type: citext', 'type: \'crm."odd.type"\'', "comment: '@pii'", 'columns: a.b.*, type: text'])
      expect(problems(rule(text))).toEqual([]);
    expect(problems(minimal.replace('host: db', 'host: db, labels: [{ label: pii }]'))[0]?.message).toBe(
      'it names no column: add columns, type or comment',
    );
    for (const type of ['a.b.c', 'a.', '"a'])
      expect(problems(rule(`type: '${type}'`))[0]?.message).toMatch(/^write a type such as citext/);
    expect(problems(rule("comment: ''"))[0]?.message).toBeDefined();
  });

  test('the method of a label is its own, else that of a broader one, else the default, else full', () => {
    const { masks } = read(`${minimal}\nmasks: { pii.email: partial, pii: hash, default: "null" }\n`);
    const method = (label: string) => methodFor(masks, label).method;
    expect(['pii.email', 'pii.phone', 'pii.email.work', 'secret'].map(method)).toEqual([
      'partial',
      'hash',
      'partial',
      'null',
    ]);
    expect(methodFor({}, 'toString')).toEqual({ method: 'full' });
  });
});

describe('a method with its parameter', () => {
  const masks = (text: string) => `${minimal}\nmasks: ${text}\n`;

  test('is read, and a bare name is the same as a method without one', () => {
    const text =
      '{ a: token, b: { method: partial, keep: 6 }, c: { method: constant, value: "" }, d: { method: bucket, size: 0.5 }, e: { method: date, to: quarter }, f: { method: partial } }';
    expect(read(masks(text)).masks).toEqual({
      a: { method: 'token' },
      b: { method: 'partial', keep: 6 },
      c: { method: 'constant', value: '' },
      d: { method: 'bucket', size: 0.5 },
      e: { method: 'date', to: 'quarter' },
      f: { method: 'partial' },
    });
  });

  test.each([
    ['{ a: bucket }', 'bucket needs its parameter: write { method: bucket, size: 1000 }'],
    ['{ a: { method: date } }', 'date needs its parameter: write { method: date, to: year }'],
    ['{ a: { method: constant } }', 'constant needs its parameter: write { method: constant, value: "(hidden)" }'],
    ['{ a: { method: full, keep: 4 } }', 'full has no keep: leave it out'],
    ['{ a: { method: date, to: year, size: 5 } }', 'date has no size: leave it out'],
  ])('%s is refused', (text, message) => {
    expect(problems(masks(text)).map((found) => found.message)).toEqual([message]);
  });

  test.each([
    '{ a: star }',
    '{ a: null }',
    '{ a: { method: partial, keep: 0 } }',
    '{ a: { method: bucket, size: 0 } }',
  ])('%s is refused', (text) => expect(problems(masks(text))).toHaveLength(1));
});

describe('what is refused, where, and what to write', () => {
  test('a key that is not known, with the one that was meant', () => {
    expect(problem('audience:', 'audiense: x\n    audience:')).toBe(
      '8:5 issuers[0].audiense: unknown key; did you mean audience?',
    );
    expect(problem('host: db', 'host: db, failOpen: true')).toMatch(
      /^12:49 targets\[0\]\.failOpen: unknown key; remove it; known here: name, /,
    );
    expect(problem('version: 1', 'version: 1\nlimit: {}')).toBe('2:1 limit: unknown key; did you mean limits?');
  });

  test('a key that is missing', () => {
    expect(problem('name: shop, ', '')).toBe('12:5 targets[0].name: missing: add this key');
  });

  test('a secret in the clear, in any form', () => {
    for (const written of ['hunter2', '12345', '{ value: hunter2 }', '{ env: A, file: b }', '[hunter2]']) {
      const told = problem('user: u', `user: u, password: ${written}`);
      expect(told).toBe(
        '12:88 targets[0].credential.password: a secret is never written here: write { file: path } or { env: NAME }',
      );
    }
  });

  test('receipts: the way to the mail server is safe, user and password go together', () => {
    const told = (smtp: string) =>
      problems(`${minimal}\nledger: { receipts: { to: [a@example.org], from: b@example.org, smtp: { ${smtp} } } }`).map(
        ({ message }) => message,
      );
    expect(told('host: mail.example.org')).toEqual([]);
    expect(told('host: mail.example.org, user: gw, password: { env: SMTP_PASSWORD }')).toEqual([]);
    expect(told('host: 127.0.0.1, tls: none')).toEqual([]);
    expect(told('host: mail.example.org, tls: none')).toEqual([expect.stringContaining('use starttls')]);
    expect(told('host: mail.example.org, user: gw')).toEqual([expect.stringContaining('go together')]);
    expect(told('host: mail.example.org, user: gw, password: secret')).toEqual([
      expect.stringContaining('a secret is never written here'),
    ]);
  });

  test('witnesses: a key that is one, a way that is safe, each once', () => {
    const { publicKey } = generateKeyPairSync('ed25519');
    const key = formatVkey('witness.example', publicKey, 'witness');
    const told = (...list: string[]) =>
      problems(`${minimal}\nledger: { witnesses: [${list.join(', ')}] }`).map(({ message }) => message);
    const of = (vkey: string, url: string) => `{ key: "${vkey}", url: "${url}" }`;
    expect(told(of(key, 'https://witness.example'))).toEqual([]);
    expect(told(of(key, 'http://127.0.0.1:7380'))).toEqual([]);
    expect(told(of(key, 'http://witness.example'))).toEqual([expect.stringContaining('use https')]);
    expect(told(of('nonsense', 'https://w.example'))).toEqual([expect.stringContaining('witness init')]);
    expect(told(of(formatVkey('log.example', publicKey), 'https://w.example'))).toEqual([
      expect.stringContaining('it is the key of a log'),
    ]);
    expect(told(of(key, 'https://a.example'), of(key, 'https://b.example'))).toEqual([
      expect.stringContaining('named twice'),
    ]);
  });

  test('key providers: the one that wraps is configured, and keys never travel in the clear', () => {
    const told = (keys: string) => problems(`${minimal}\nledger: { keys: ${keys} }`).map(({ message }) => message);
    const vault = (address: string) =>
      `{ provider: vault, vault: { address: "${address}", key: k, token: { env: T } } }`;
    expect(told('{ provider: file }')).toEqual([]);
    expect(told('{ provider: env, env: { key: { env: LEDGER_KEY } } }')).toEqual([]);
    expect(told(vault('https://vault.example:8200'))).toEqual([]);
    expect(told(vault('http://127.0.0.1:8200'))).toEqual([]);
    expect(told(vault('http://vault.example:8200'))).toEqual([expect.stringContaining('write https://')]);
    expect(told('{ provider: aws-kms }')).toEqual([expect.stringContaining('aws-kms is not configured')]);
    expect(told('{ provider: vault, vault: { address: "https://v.example", key: k, token: hvs.secret } }')).toEqual([
      expect.stringContaining('a secret is never written here'),
    ]);
  });

  test('a problem never quotes a value', () => {
    const text = minimal
      .replace('user: u', 'user: u, password: hunter2')
      .replace('plaintext: loopback', 'plaintext: hunter2, tls: hunter2, maxConnections: hunter2')
      .replace('origin: example.org/gw', 'origin: "hunter2 hunter2"')
      .replace('kind: agent', 'kind: hunter2')
      .replace('"http://127.0.0.1:8080"', 'hunter2');
    const found = problems(text);
    expect(found.length).toBeGreaterThan(6);
    expect(JSON.stringify(found)).not.toContain('hunter2');
  });

  test('numbers, lists and choices say what fits', () => {
    expect(problem('port: 6432', 'port: 65536')).toMatch(/listeners\[0\]\.port: too large: write at most 65535$/);
    expect(problem('port: 6432', 'port: "6432"')).toMatch(/listeners\[0\]\.port: write a number$/);
    expect(problem('plaintext: loopback', 'plaintext: allow')).toMatch(/plaintext: write one of refuse or loopback$/);
    expect(problem('database: shop', 'database: 7')).toMatch(/database: write a text; put it in quotes/);
    expect(problem('kind: agent', 'kind: robot')).toMatch(/kind: write agent, human or service, or \{ claim/);
    expect(problem('jwks: { file: one.json }', 'jwks: one.json')).toMatch(
      /jwks: write keys and values: \{ file: … \}$/,
    );
    expect(problem('https://one.example', 'one.example')).toMatch(/issuer: write a URL such as/);
    expect(problem('version: 1', 'version: 2')).toBe('1:1 version: write 1');
    expect(problem('version: 1', 'version: 1\nmasks: { pii: null }')).toMatch(
      /masks.pii: write full, .* in quotes, or \{ method: NAME \}/,
    );
    expect(problem('audience: countersign', 'audience: countersign\n    algorithms: [none]')).toMatch(
      /algorithms\[0\]: write one of ES256/,
    );
    expect(problem('audience: countersign', 'audience: countersign\n    algorithms: [HS256]')).toMatch(
      /algorithms\[0\]: write one of ES256/,
    );
  });

  test('what is not YAML, twice there, or not a configuration', () => {
    expect(problems('version: 1\nversion: 1')[0]).toMatchObject({
      line: 2,
      message: 'not YAML: this key is there twice: keep one',
    });
    expect(problems('a: [1')[0]?.message).toMatch(/^not YAML: /);
    expect(problems('a: !secret x')[0]?.message).toBe('not YAML: an unknown !tag: remove it');
    expect(problems('')[0]?.message).toMatch(/^there is no configuration here/);
    expect(problems('- a')[0]?.message).toMatch(/^there is no configuration here/);
    expect(problems(`#${'x'.repeat(5_000_000)}`)[0]?.message).toMatch(/longer than 4 MiB/);
  });

  test('aliases cannot blow it up', () => {
    const levels = Array.from(
      { length: 4 },
      (_, level) =>
        `a${level}: &a${level} [${Array(9)
          .fill(level === 0 ? 'x' : `*a${level - 1}`)
          .join(', ')}]`,
    );
    expect(problems(levels.join('\n'))[0]?.message).toMatch(/^too many aliases/);
  });

  test('ways to sign in that can never be reached or never succeed', () => {
    const signIn = (methods: string, more = '') =>
      problem('plaintext: loopback', `plaintext: loopback, signIn: [${methods}]${more}`);
    expect(signIn('oauthbearer')).toMatch(/signIn: clients cannot learn where tokens come from/);
    expect(signIn('oauthbearer', ', oauth: { issuer: other }')).toMatch(/issuer: no issuer has this name/);
    expect(signIn('oauthbearer', ', oauth: { issuer: one }')).toMatch(/needs an issuer with discovery: true/);
    const messages = (methods: string, more: string) =>
      problems(minimal.replace('plaintext: loopback', `plaintext: loopback, signIn: [${methods}]${more}`)).map(
        ({ message }) => message.split(':')[0],
      );
    expect(messages('token-password', ', oauth: { issuer: one }')).toContain('it is not used');
    expect(messages('token-password, certificate', '')).toEqual([
      'the second is never reached',
      'no client certificate can be verified',
      'no client certificate means anybody',
    ]);
    expect(messages('token-password, oauthbearer', '')).toContain('the second is never reached');
    expect(messages('certificate, oauthbearer', '')).not.toContain('the second is never reached');
    const tls = ', tls: { cert: { file: a }, key: { file: b }, clientCa: { file: c } }';
    expect(messages('token-password', tls)).toEqual(['client certificates are not used']);
    const entry = '{ name: w, principal: { kind: agent, subject: uri } }';
    const both = minimal.replace('plaintext: loopback', `signIn: [certificate, token-password]${tls}`);
    expect(problems(`${both}certificates: [${entry}]`)).toEqual([]);
    expect(problems(`${both}certificates: [${entry}, ${entry}]`)[0]?.message).toMatch(/^another entry has this name/);
  });

  test('a listener or console that would carry tokens in the clear', () => {
    expect(problem(', plaintext: loopback', '')).toMatch(/listeners\[0\]: nobody could sign in: add tls/);
    expect(problem('port: 6432', 'port: 6432, address: 0.0.0.0')).toMatch(/address: tokens would travel in the clear/);
    expect(problem('http://127.0.0.1:8080', 'http://console.example')).toMatch(
      /console\.url: sign-in would travel in the clear/,
    );
    expect(problem('http://127.0.0.1:8080', 'https://console.example/path')).toMatch(
      /write the origin alone: https:\/\/console\.example$/,
    );
    expect(problem('https://one.example', 'http://one.example')).toMatch(
      /issuers\[0\]\.issuer: keys would travel unprotected/,
    );
  });

  test('parts that do not fit each other', () => {
    const signIn = (name: string) => `url: "http://127.0.0.1:8080", signIn: { issuer: ${name}, clientId: c }`;
    expect(problem('url: "http://127.0.0.1:8080"', signIn('two'))).toMatch(
      /signIn\.issuer: no issuer has this name: write one of one$/,
    );
    expect(problem('url: "http://127.0.0.1:8080"', signIn('one'))).toMatch(
      /sign-in needs an issuer with discovery: true/,
    );
    expect(problem('    jwks: { file: one.json }\n', '')).toMatch(/issuers\[0\]: its keys cannot be found/);
    expect(problem('audience: countersign', 'audience: countersign\n    discovery: true')).toMatch(
      /jwks: there is discovery: true already/,
    );
    expect(problem('database: shop', 'database: shop, databases: [other]')).toMatch(
      /databases: the default database is missing: add shop$/,
    );
    expect(problem('host: db', 'host: db, tls: { mode: verify-ca }')).toMatch(
      /tls: verify-ca trusts any name under ca/,
    );
    expect(problem('host: db', 'host: db, tls: { mode: disable, ca: { file: x } }')).toMatch(/uses no certificates/);
    expect(problem('host: db', 'host: db, tls: { cert: { file: x } }')).toMatch(/needs cert and key/);
    expect(problem('kind: agent', 'kind: { claim: k }')).toMatch(/no value means anything/);
    expect(problem('kind: agent', 'kind: { claim: k, agent: [a], human: [a] }')).toMatch(/stands for two kinds/);
  });

  test('sinks of events have their own keys, go somewhere, and nothing in the clear', () => {
    const sink = (text: string) =>
      problems(`${minimal}\nexports: [{ name: siem, ${text} }]\n`).map(({ message }) => message);
    for (const right of [
      'to: file, output: { file: x }',
      'to: syslog, host: logs.example, tls: {}',
      'to: syslog, host: 127.0.0.1',
      'to: http, url: "https://siem.example/in", token: { env: T }, sign: { file: k }',
      'to: otlp, url: "http://127.0.0.1:4318/v1/logs", types: [statement.*], targets: [shop]',
    ])
      expect(sink(right), right).toEqual([]);
    for (const [wrong, words] of [
      ['to: file', 'it goes nowhere: add output'],
      ['to: http', 'it goes nowhere: add url'],
      ['to: file, output: { file: x }, url: "https://a.example"', 'a sink to file has no url: leave it out'],
      ['to: syslog, host: logs.example', 'the record would travel in the clear: add tls'],
      [
        'to: syslog, host: logs.example, tls: { cert: { file: x } }',
        'a client certificate needs cert and key: add the missing one',
      ],
      ['to: http, url: "http://siem.example"', 'the record would travel in the clear: write https://'],
      ['to: http, url: "https://user:pass@siem.example"', 'a secret is never written here: use token'],
      ['to: file, output: { file: x }, targets: [shpo]', 'no target has this name: write one of shop'],
      ['to: udp', 'write one of file, syslog, http or otlp'],
    ] as const)
      expect(sink(wrong), wrong).toEqual([words]);
    const metrics = (text: string) => problems(`${minimal}\nmetrics: { port: 9464${text} }\n`).length;
    const tls = ', tls: { cert: { file: a }, key: { file: b } }';
    expect([metrics(''), metrics(', address: 0.0.0.0'), metrics(`, address: 0.0.0.0${tls}`)]).toEqual([0, 1, 1]);
    expect(metrics(`, address: 0.0.0.0, token: { env: T }${tls}`)).toBe(0);
    expect(read(`${minimal}\nexports: [{ name: a, to: file, output: { file: x.jsonl } }]`).exports[0]).toMatchObject({
      output: { file: '/etc/cs/x.jsonl' },
      sync: true,
      from: 'beginning',
    });
  });

  test('names that are taken', () => {
    const target = minimal.split('\n').find((line) => line.includes('name: shop'))!;
    expect(problem(target, `${target}\n${target}`)).toMatch(/^13:7 targets\[1\]\.name: another target has this name/);
    const issuers = minimal.replace(
      'targets:',
      '  - { name: two, issuer: "https://one.example", audience: x, discovery: true, principal: { kind: agent } }\ntargets:',
    );
    expect(problems(issuers)[0]?.message).toMatch(/another entry is for this issuer/);
  });

  test('every problem is told at once, in the order of the file', () => {
    const found = problems(
      minimal.replace('port: 6432', 'port: no').replace('name: gw', 'name: ""').replace('host: db', 'hosd: db'),
    );
    expect(found.map(({ line }) => line)).toEqual([2, 3, 12, 12]);
  });
});
