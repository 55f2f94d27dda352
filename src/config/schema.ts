// Everything that `countersign.yaml` may say, once: types, JSON schema and docs/config.md are made from this (style: one
// schema, unknown keys are errors, defaults on the safe side, secrets only as references).
// Long because one schema in one place is the point of it.
import { z } from 'zod';
import { mostRows } from '../domain/recording-rule.ts';
import { receiptsPart, timestampsPart } from './holders-schema.ts';
import { keysPart } from './keys-schema.ts';
import { reconcileSchema } from './reconcile-schema.ts';
import { retentionPart } from './retention-schema.ts';
import { objectsPart } from './objects-schema.ts';
import { dateUnits, type Method, maskMethods } from '../domain/mask.ts';
import { notify } from './notify-schema.ts';
import { columnsPattern, typePattern } from '../sql/label-rule.ts';
import { outlets } from './outlets.ts';

const port = (least: 0 | 1) => z.int().min(least).max(65_535);
const seconds = (least: number, most: number) => z.int().min(least).max(most);
const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, {
  error: 'write up to 63 letters, digits, dots, dashes and underscores',
});
const text = z.string().min(1).max(1_000);
const label = z.string().regex(/^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/, { error: 'write a label such as pii.email' });

const file = z.strictObject({ file: text.describe('Path, relative to this configuration file.') });
const environment = z.strictObject({
  env: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: 'write the name of an environment variable, such as SHOP_PASSWORD' })
    .describe('Name of an environment variable.'),
});
/** Where a secret is read from; the secret itself is never written into the configuration. */
const secret = z.union([file, environment], {
  error: 'a secret is never written here: write { file: path } or { env: NAME }',
});

/** A claim of the token: its name, or the way to it through nested objects. */
const claim = z.union([text, z.array(text).min(1).max(8)], {
  error: 'write the name of a claim, or a list that leads to a nested one such as [realm_access, roles]',
});

const serverTls = z.strictObject({
  cert: file.describe('Certificate chain, PEM.'),
  key: file.describe('Private key, PEM.'),
});

/** RFC 6749, 3.3 */
const scope = z
  .string()
  .regex(/^[!#-[\]-~]{1,255}$/, { error: 'write a scope such as openid, without spaces and quotes' });

const signInMethods = ['token-password', 'oauthbearer', 'certificate'] as const;

const listener = z.strictObject({
  protocol: z.literal('postgres').describe('What clients speak.'),
  address: text.default('127.0.0.1').describe('Address to listen on.'),
  port: port(0).describe('Port to listen on; 0 lets the system choose.'),
  tls: serverTls
    .extend({
      clientCa: file
        .optional()
        .describe('Authorities of client certificates, PEM. With it clients are asked for a certificate.'),
    })
    .optional()
    .describe('Certificate that clients see. Without it only loopback clients can be served.'),
  signIn: z
    .array(z.enum(signInMethods))
    .min(1)
    .max(2)
    .default(['token-password'])
    .describe(
      'How clients sign in: a token as the password, a token by SASL OAUTHBEARER (PostgreSQL 18 clients), or a client certificate. The server chooses the method in PostgreSQL: `certificate` goes first and is for clients that present one, the other is for the rest.',
    ),
  oauth: z
    .strictObject({
      issuer: name.describe('Name of one of `issuers`; it needs `discovery: true`.'),
      scopes: z.array(scope).min(1).max(20).default(['openid']).describe('Scopes that clients are to ask for.'),
    })
    .optional()
    .describe('Where `oauthbearer` sends clients that have no token, or one that is refused.'),
  plaintext: z
    .enum(['refuse', 'loopback'])
    .default('refuse')
    .describe('Whether clients on loopback may sign in without TLS. All others never may.'),
  startupSeconds: seconds(1, 600).default(30).describe('Time a client has to sign in.'),
  maxConnections: z.int().min(1).max(100_000).default(1_000).describe('Clients served at once by this listener.'),
  maxSigningIn: z
    .int()
    .min(1)
    .max(100_000)
    .default(200)
    .describe('Of these, clients that have not signed in yet; above it the one that has been trying longest is cut.'),
});

const signIn = z.strictObject({
  issuer: name.describe('Name of one of `issuers`; it needs `discovery: true`.'),
  clientId: text.describe('Client id that the issuer gave the console.'),
  clientSecret: secret.optional().describe('Client secret, for issuers that demand one.'),
  scopes: z.array(text).max(20).default(['openid']).describe('Scopes to ask for.'),
});

const webUrl = z.url({ protocol: /^https?$/, error: 'write a URL such as https://countersign.example.org' });

const consolePart = z.strictObject({
  address: text.default('127.0.0.1').describe('Address to listen on.'),
  port: port(1).default(8_080).describe('Port to listen on.'),
  url: webUrl.describe('Origin that people open, without a path. https, except on loopback.'),
  tls: serverTls.optional().describe('Certificate of the console. Leave it out behind a proxy that ends TLS.'),
  signIn: signIn.optional().describe('Sign-in in the browser. Without it only bearer tokens are accepted.'),
  viewers: z.array(text).max(1_000).default([]).describe('Groups that see all sessions.'),
  admins: z.array(text).max(1_000).default([]).describe('Groups that may end sessions.'),
});

export const algorithms = [
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
] as const;

const kinds = z.array(text).min(1).max(100);
const kind = z.union(
  [
    z.enum(['agent', 'human', 'service']),
    z.strictObject({
      claim: claim.describe('Claim that tells the kind.'),
      agent: kinds.optional().describe('Values that mean an agent.'),
      human: kinds.optional().describe('Values that mean a person.'),
      service: kinds.optional().describe('Values that mean a service.'),
    }),
  ],
  { error: 'write agent, human or service, or { claim: NAME, agent: [values], human: [values], service: [values] }' },
);

const principal = z.strictObject({
  kind: kind.describe('Agent, human or service: fixed, or by a claim. Any other value of the claim is refused.'),
  name: claim.optional().describe('Claim shown to people. Without it the subject is shown.'),
  groups: claim.optional().describe('Claim with the groups. Without it this issuer puts nobody in a group.'),
  email: claim.optional().describe('Claim with the e-mail address; it keeps owners from approving for their agents.'),
  owner: claim.optional().describe('Claim with the accountable person. When set, agents and services must have it.'),
  keep: z.array(claim).max(50).default([]).describe('Further claims for policies and the record.'),
});

const issuer = z.strictObject({
  name: name.describe('Name within this file.'),
  issuer: webUrl.describe('`iss` of its tokens, to the letter. https, except on loopback.'),
  audience: z
    .union([text, z.array(text).min(1).max(10)], { error: 'write the audience that tokens for this gateway carry' })
    .describe('`aud` that a token must carry: one, or one of several.'),
  discovery: z.literal(true).optional().describe('Find the keys by OpenID Connect discovery.'),
  jwks: file.optional().describe('Key set in a file instead, read again when it changes.'),
  algorithms: z
    .array(z.enum(algorithms))
    .min(1)
    .default(['ES256', 'RS256', 'EdDSA'])
    .describe('Signature algorithms to accept.'),
  clockSkewSeconds: seconds(0, 300).default(60).describe('How far clocks may differ.'),
  maxTokenAgeSeconds: seconds(1, 31_536_000).optional().describe('Oldest token to accept, by its `iat`.'),
  principal: principal.describe('How claims become a principal.'),
});

const certificate = z.strictObject({
  name: name.describe('Name within this file; principals carry it as their issuer, `mtls:name`.'),
  ca: file
    .optional()
    .describe(
      'Authorities, PEM, of which one must have issued the certificate itself. Default: any chain to `clientCa`.',
    ),
  match: text
    .optional()
    .describe(
      'Pattern of the subject, such as `spiffe://example.org/agents/*`; `*` is anything but a slash. Default: all.',
    ),
  principal: z
    .strictObject({
      kind: z.enum(['agent', 'human', 'service']).describe('Agent, human or service.'),
      subject: z
        .enum(['uri', 'dns', 'email', 'cn'])
        .describe(
          'Where the subject stands: the only alternative name of that type (`uri` for SPIFFE), or the only common name.',
        ),
      groups: z.array(text).max(100).default([]).describe('Groups of these principals.'),
      owner: text.optional().describe('Their accountable person.'),
    })
    .describe('Who the holder of such a certificate is.'),
});

const ackLevels = ['written', 'synced', 'replicated'] as const;

const target = z
  .strictObject({
    name: name.describe('Name that clients use as database name.'),
    protocol: z.literal('postgres').describe('What the target speaks.'),
    host: text.describe('Host name or address.'),
    port: port(1).default(5_432).describe('Port.'),
    loginSeconds: seconds(1, 600).default(30).describe('Time the target has to accept the sign-in of the gateway.'),
    database: text.describe('Database used when the client names only the target.'),
    databases: z
      .array(text)
      .min(1)
      .max(1_000)
      .optional()
      .describe('Databases that may be named. Default: `database` alone.'),
    tls: z
      .strictObject({
        mode: z
          .enum(['disable', 'require', 'verify-ca', 'verify-full'])
          .default('verify-full')
          .describe('As libpq’s sslmode.'),
        ca: file.optional().describe('Certificate authorities to trust, PEM. Default: those of the system.'),
        cert: file.optional().describe('Client certificate, PEM.'),
        key: file.optional().describe('Key of the client certificate, PEM.'),
      })
      .default({ mode: 'verify-full' })
      .describe('TLS towards the target.'),
    credential: z
      .strictObject({
        user: text.describe('Role at the target.'),
        password: secret.optional().describe('Its password.'),
      })
      .describe('What the gateway signs in with. Agents never see it.'),
    ack: z
      .strictObject({
        read: z.enum(ackLevels).default('written').describe('For statements that only read.'),
        write: z.enum(ackLevels).default('synced').describe('For statements that can change something.'),
      })
      .default({ read: 'written', write: 'synced' })
      .describe(
        'How durable a decision is before its statement is sent: `written` survives a killed gateway, `synced` a power loss, `replicated` the loss of the machine (it is in `ledger.objects`).',
      ),
    tagSessions: z
      .boolean()
      .default(false)
      .describe(
        'Put the session’s id behind what the client calls itself in `application_name`, so that the target’s own log names it. The client sees it too.',
      ),
    reconcile: reconcileSchema,
    recording: z
      .union(
        [
          z.enum(['full', 'digest']),
          z.strictObject({ rows: z.int().min(1).max(mostRows).describe('Rows kept of each result.') }),
        ],
        { error: 'write full, digest, or { rows: 10 }' },
      )
      .default('full')
      .describe(
        'What recordings keep of results and copied data: all of it; of each result the first rows, and counts and a digest of the whole; or counts and digest alone. Statements are always kept. See docs/replay.md.',
      ),
    labels: z
      .array(
        z.strictObject({
          columns: z
            .string()
            .max(1_000)
            .regex(columnsPattern, {
              error: 'write schema.relation.column, with * for any and "quotes" around a name with dots',
            })
            .optional()
            .describe('`schema.relation.column`, with `*` for any and `"quotes"` around a name with dots.'),
          type: z
            .string()
            .max(1_000)
            .regex(typePattern, { error: 'write a type such as citext, or schema.type; * stands for any' })
            .optional()
            .describe(
              'Type or domain, `name` or `schema.name` as in pg_type (`citext`, `int4`); domains and arrays of it fit too.',
            ),
          comment: z
            .string()
            .min(1)
            .max(1_000)
            .optional()
            .describe(
              'The column’s comment at the target: a tag such as `@pii.email` anywhere in it, or the whole of it with `*` for any text. Case does not count.',
            ),
          label: label.describe('Label, broad to narrow, such as `pii.email`.'),
        }),
      )
      .max(100_000)
      .default([])
      .describe('Columns that are sensitive: by name, by type, by comment; of several keys each must fit.'),
  })
  .transform((found) => ({ ...found, databases: found.databases ?? [found.database] }));

const limits = z.strictObject({
  statementBytes: z.int().min(1_024).max(16_777_216).default(1_048_576).describe('Longest statement text, in bytes.'),
  heldBytes: z
    .int()
    .min(65_536)
    .max(1_073_741_824)
    .default(1_048_576)
    .describe('Bytes kept of a client that sends on while its statement waits; then reading pauses.'),
  idleSeconds: seconds(1, 604_800)
    .default(3_600)
    .describe('A session in which nothing runs, nothing waits for people and nothing moves for so long ends.'),
  sessionSeconds: seconds(1, 2_592_000).default(86_400).describe('A session ends after so long, whatever it does.'),
  matches: z
    .int()
    .min(0)
    .max(1_000_000_000)
    .default(1_000)
    .describe(
      'Values of its own that a session may compare with, or write into, columns of one label. Beyond them `context.overBudget` of `sql:match` is true, and the shipped policies hold.',
    ),
  probes: z
    .int()
    .min(0)
    .max(1_000_000_000)
    .default(100)
    .describe(
      'Statements of a session that order, range over or search columns of one label, where policy permits that. Beyond them `context.overBudget` of `sql:probe` is true.',
    ),
});

const maskMethod = z
  .union(
    [
      z.enum(maskMethods),
      z.strictObject({
        method: z.enum(maskMethods).describe('Its name.'),
        keep: z.int().min(1).max(8).optional().describe('`partial`: last characters that stay. Default: 4.'),
        value: z
          .string()
          .max(200)
          .optional()
          .describe('`constant`: what is seen instead; NULL where it does not fit the type.'),
        size: z
          .number()
          .min(0.000001)
          .max(1e15)
          .optional()
          .describe('`bucket`: width of the buckets that numbers fall into.'),
        to: z.enum(dateUnits).optional().describe('`date`: what is left of a date or time stamp.'),
      }),
    ],
    {
      error:
        'write full, hash, token, partial, detect or "null" in quotes, or { method: NAME } with keep, value, size or to',
    },
  )
  .transform((found): Method => (typeof found === 'string' ? { method: found } : found));

const levels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;

export const schema = z.strictObject({
  version: z.literal(1).describe('Version of this format.'),
  gateway: z
    .strictObject({
      name: name.describe('Name of this gateway in every ledger entry.'),
      origin: z
        .string()
        .regex(/^[!-*,-~]{1,255}$/, {
          error: 'write a name without spaces and +, such as countersign.example.org/gw-a',
        })
        .describe('Name of the ledger and of its key, for ever. Use a domain that you own.'),
    })
    .describe('This gateway.'),
  data: text.default('./data').describe('Folder for ledger, recordings, state and the store.'),
  listeners: z.array(listener).min(1).max(100).describe('Where clients connect.'),
  console: consolePart.describe('HTTP API and browser console.'),
  issuers: z.array(issuer).min(1).max(100).describe('Whose tokens are accepted.'),
  certificates: z
    .array(certificate)
    .max(1_000)
    .default([])
    .describe(
      'Whose client certificates are accepted: the first entry that fits counts, and without one nobody is let in.',
    ),
  targets: z.array(target).min(1).max(10_000).describe('What can be reached.'),
  masks: z
    .record(label, maskMethod)
    .default({})
    .describe(
      'Label to method, or to a method with its parameter such as `{ method: date, to: year }`; `default` is for all others, and a narrower label goes before a broader one. What each does: docs/masking.md.',
    ),
  policies: text.default('./policies').describe('Folder of `*.cedar` files.'),
  approvals: z
    .strictObject({
      url: webUrl.optional().describe('Origin for links to requests. Default: the console’s.'),
      ttlSeconds: seconds(1, 604_800).default(900).describe('Lifetime of a request whose policy has no @ttl.'),
      enrolment: z
        .enum(['vouched', 'self'])
        .default('vouched')
        .describe(
          'When a key that votes are signed with counts: once an administrator who is somebody else vouched for it, or at once.',
        ),
      passkeys: z
        .strictObject({
          deviceBound: z
            .boolean()
            .default(false)
            .describe('Take only passkeys that cannot be copied to another device.'),
          aaguids: z
            .array(z.uuid())
            .min(1)
            .optional()
            .describe('Models of authenticators to take, which must attest what they are. Default: any.'),
        })
        .default({ deviceBound: false })
        .describe('Which passkeys may be enrolled.'),
      notify: z.array(notify).default([]).describe('Who is told that a statement waits, and how.'),
    })
    .default({ ttlSeconds: 900, enrolment: 'vouched', passkeys: { deviceBound: false }, notify: [] })
    .describe('Requests to people.'),
  ledger: z
    .strictObject({
      checkpointSeconds: z.number().min(0.1).max(3_600).default(1).describe('Time between signed checkpoints.'),
      heartbeatSeconds: seconds(1, 86_400).default(600).describe('Time between heartbeat entries.'),
      witnesses: z
        .array(
          z.strictObject({
            key: text.describe('Verifier key of the witness, as `countersign witness init` printed it.'),
            url: webUrl.describe('Where it answers. https, except on loopback.'),
          }),
        )
        .max(20)
        .default([])
        .describe('Who is shown each new checkpoint and signs that it continues the one before.'),
      witnessSeconds: seconds(1, 86_400).default(60).describe('Time between showings.'),
      slowSeconds: z
        .number()
        .min(0.1)
        .max(3_600)
        .default(5)
        .describe(
          'Longest time that the disk may take for one operation; then nothing new is forwarded until it is done.',
        ),
      reserveMegabytes: z
        .int()
        .min(0)
        .max(1_048_576)
        .default(256)
        .describe('Room to keep on the disk; below it no new session begins, and the open ones can end.'),
      objects: objectsPart
        .optional()
        .describe('An object store that everything of the record is copied to (docs/storage.md).'),
      keys: keysPart
        .default({ provider: 'file', timeoutSeconds: 5 })
        .describe('Who wraps the keys of payloads and recordings (docs/retention.md).'),
      timestamps: timestampsPart.optional().describe('A time stamping authority for checkpoints.'),
      receipts: receiptsPart.optional().describe('Checkpoints by mail.'),
    })
    .default({
      checkpointSeconds: 1,
      heartbeatSeconds: 600,
      witnesses: [],
      witnessSeconds: 60,
      slowSeconds: 5,
      reserveMegabytes: 256,
      keys: { provider: 'file', timeoutSeconds: 5 },
    })
    .describe('The record.'),
  retention: retentionPart.default({ rules: [] }).describe('How long content lives (docs/retention.md).'),
  limits: limits
    .default({
      statementBytes: 1_048_576,
      heldBytes: 1_048_576,
      idleSeconds: 3_600,
      sessionSeconds: 86_400,
      matches: 1_000,
      probes: 100,
    })
    .describe('What a client may demand.'),
  ...outlets({ file, name, secret, text, webUrl }),
  log: z
    .strictObject({ level: z.enum(levels).default('info').describe('Least severity that is written.') })
    .default({ level: 'info' })
    .describe('The operator’s log, JSON lines on standard error.'),
});
export type Settings = z.output<typeof schema>;
