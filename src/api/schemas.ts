// Long because every answer of the API stands in one place.
// The contract (contract.ts) as schemas: requests are checked against them, and /api/openapi.json is made from them. The
// Long because the whole contract is to be checked in one place.
// compiler holds both together; api.test.ts holds answers against them.
import { z } from 'zod';
import { ledgerKeys, sessionRetention } from './retention-schemas.ts';
import type {
  ApprovalRow,
  BacktestReport,
  EffectRow,
  LedgerStatus,
  Me,
  Overview,
  PolicyExplanation,
  PolicyStatus,
  Problem,
  Replay,
  ReplayEvent,
  SessionDetail,
  SessionSummary,
  StatementRow,
  TargetRow,
} from './contract.ts';
import { objectsStatus } from './objects-schema.ts';

const count = z.int().min(0);
const time = count.describe('Milliseconds since the epoch.');
const id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);
const kind = z.enum(['agent', 'human', 'service']);
const ruling = z.enum(['permit', 'hold', 'deny']);
const parameters = z.array(z.string().nullable());
const strings = z.array(z.string());

export const problem = z.strictObject({ code: z.string(), message: z.string() }) satisfies z.ZodType<Problem>;

export const me = z.strictObject({
  id: z.string(),
  name: z.string(),
  kind,
  groups: strings,
  mayKill: z.boolean(),
}) satisfies z.ZodType<Me>;

const disk = z.strictObject({ free: count.optional(), reserve: count, low: z.boolean(), slow: z.string().optional() });
export const ledgerStatus = z.strictObject({
  origin: z.string(),
  vkey: z.string(),
  entries: count,
  checkpoint: z.strictObject({ size: count, root: z.string(), at: time }).optional(),
  state: z.enum(['healthy', 'stopped']),
  fault: z.string().optional(),
  ...ledgerKeys,
  disk: disk.optional(),
  witnesses: z.array(z.strictObject({ name: z.string(), at: time.optional(), size: count.optional() })).optional(),
  objects: objectsStatus.optional(),
}) satisfies z.ZodType<LedgerStatus>;

export const overview = z.strictObject({
  live: count,
  held: count,
  statementsLastHour: count,
  denialsLastHour: count,
  maskedCellsLastHour: count,
  ledger: ledgerStatus,
}) satisfies z.ZodType<Overview>;

export const sessionSummary = z.strictObject({
  id: z.string(),
  principal: z.string(),
  principalName: z.string(),
  principalKind: kind,
  target: z.string(),
  database: z.string(),
  opened: time,
  closed: time.optional(),
  cause: z.string().optional(),
  statements: count,
  held: count,
  denied: count,
  maskedCells: count,
}) satisfies z.ZodType<SessionSummary>;

const claim = z.string().optional();
export const sessionDetail = sessionSummary.extend({
  issuer: z.string(),
  subject: z.string(),
  groups: strings,
  owner: z.string().optional(),
  claimed: z.strictObject({ user: claim, application: claim, address: claim }),
  log: z.string().optional(),
  openEntry: count,
  sealEntry: count.optional(),
  recordedBytes: count,
  recording: z
    .strictObject({ rule: z.string(), unkept: z.strictObject({ rows: count, bytes: count }).optional() })
    .optional(),
  met: z.array(z.strictObject({ label: z.string(), matches: count, probes: count })),
  ...sessionRetention,
}) satisfies z.ZodType<SessionDetail>;

const effect = z.strictObject({
  action: z.string(),
  resource: z.string(),
  parts: z
    .strictObject({
      schema: z.string().optional(),
      relation: z.string().optional(),
      column: z.string().optional(),
      routine: z.string().optional(),
    })
    .optional(),
  labels: strings.optional(),
  attributes: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
}) satisfies z.ZodType<EffectRow>;

export const statementRow = z.strictObject({
  session: z.string(),
  sequence: count,
  entry: count,
  at: time,
  kind: z.string(),
  text: z.string(),
  parameters: parameters.optional(),
  ruling,
  rules: strings,
  reason: z.string().optional(),
  advice: z.string().optional(),
  effects: z.array(effect),
  approval: z.string().optional(),
  shadow: z
    .strictObject({
      ruling,
      rules: strings,
      reason: z.string().optional(),
      advice: z.string().optional(),
      masks: count.optional(),
    })
    .optional(),
  outcome: z
    .strictObject({
      status: z.enum(['done', 'failed', 'skipped', 'cancelled', 'lost']),
      at: time,
      code: z.string().optional(),
      tag: z.string().optional(),
      rows: count,
      bytes: count,
      masked: z.array(z.strictObject({ label: z.string(), method: z.string(), cells: count })),
    })
    .optional(),
}) satisfies z.ZodType<StatementRow>;

/** The digest is of the whole. */
const notKept = z.strictObject({ rule: z.string(), rows: count, bytes: count, sha256: z.string() }).optional();

const replayEvent = z.discriminatedUnion('kind', [
  z.strictObject({
    at: time,
    kind: z.literal('statement'),
    sequence: count,
    text: z.string(),
    parameters: parameters.optional(),
  }),
  z.strictObject({
    at: time,
    kind: z.literal('result'),
    columns: strings,
    rows: z.array(parameters),
    total: count,
    unkept: notKept,
  }),
  z.strictObject({ at: time, kind: z.literal('done'), tag: z.string() }),
  z.strictObject({
    at: time,
    kind: z.literal('error'),
    severity: z.string(),
    code: z.string(),
    message: z.string(),
    detail: z.string().optional(),
    hint: z.string().optional(),
  }),
  z.strictObject({
    at: time,
    kind: z.literal('notice'),
    severity: z.string(),
    message: z.string(),
    hint: z.string().optional(),
  }),
  z.strictObject({
    at: time,
    kind: z.literal('copy'),
    direction: z.enum(['in', 'out']),
    bytes: count,
    preview: z.string(),
    unkept: notKept,
  }),
  z.strictObject({ at: time, kind: z.literal('other'), name: z.string() }),
]) satisfies z.ZodType<ReplayEvent>;

export const replay = z.strictObject({
  session: z.string(),
  started: time,
  partial: z.boolean(),
  events: z.array(replayEvent),
}) satisfies z.ZodType<Replay>;

const strongGrade = z.enum(['signed', 'verified']);
export const approvalRow = z.strictObject({
  id: z.string(),
  session: z.string(),
  sequence: count,
  requester: z.string(),
  requesterName: z.string(),
  target: z.string(),
  database: z.string(),
  text: z.string(),
  parameters: parameters.optional(),
  effects: z.array(effect),
  rules: strings,
  advice: z.string(),
  group: z.string(),
  quorum: count,
  grade: strongGrade.optional(),
  created: time,
  expires: time,
  digest: z.string(),
  state: z.enum(['pending', 'granted', 'refused', 'expired', 'withdrawn']),
  resolved: time.optional(),
  votes: z.array(
    z.strictObject({
      voter: z.string(),
      voterName: z.string(),
      answer: z.enum(['grant', 'refuse']),
      at: time,
      reason: z.string().optional(),
      grade: z.enum(['session', 'signed', 'verified']),
    }),
  ),
  mayVote: z.boolean(),
  mayNotBecause: z.string().optional(),
}) satisfies z.ZodType<ApprovalRow>;

export const targetRow = z.strictObject({
  name: z.string(),
  protocol: z.string(),
  labelledColumns: count,
  ack: z.strictObject({ read: z.string(), write: z.string() }),
  reconciled: z.strictObject({ at: count, ok: z.boolean(), onlyInTarget: count }).optional(),
}) satisfies z.ZodType<TargetRow>;

const place = { rule: z.string(), file: z.string(), line: count };
export const policyStatus = z.strictObject({
  version: z.string(),
  rules: z.array(
    z.strictObject({
      id: z.string(),
      effect: z.enum(['permit', 'forbid']),
      file: z.string(),
      line: count,
      text: z.string(),
      hold: z
        .strictObject({ group: z.string(), quorum: count, grade: strongGrade.optional(), ttlSeconds: count })
        .optional(),
      advice: z.string().optional(),
      shadow: z.boolean().optional(),
    }),
  ),
  findings: z.array(
    z.strictObject({ kind: z.enum(['unused', 'shadowed', 'contradictory']), ...place, message: z.string() }),
  ),
}) satisfies z.ZodType<PolicyStatus>;

export const policyExplanation = z.strictObject({
  policy: z.string(),
  ruling,
  rules: strings,
  reason: z.string().optional(),
  advice: z.string().optional(),
  next: z.enum(['final', 'change', 'ask']).optional(),
  group: z.string().optional(),
  quorum: count.optional(),
  grade: strongGrade.optional(),
  shadow: z.strictObject({ ruling, rules: strings }).optional(),
  effects: z.array(effect),
  results: z.array(
    z.array(
      z.strictObject({
        name: z.string(),
        sources: z.array(z.strictObject({ column: z.string(), labels: strings })),
        direct: z.boolean(),
        opaque: z.boolean(),
        mask: z.strictObject({ label: z.string(), method: z.string(), whole: z.boolean() }).optional(),
      }),
    ),
  ),
  text: z.string().optional(),
}) satisfies z.ZodType<PolicyExplanation>;

export const backtestReport = z.strictObject({
  version: z.string(),
  statements: count,
  changed: count,
  otherRules: count,
  lost: z.strictObject({ erased: count, unknown: count, unreadable: count }),
  changes: z.array(
    z.strictObject({
      from: ruling,
      to: ruling,
      before: strings,
      after: strings,
      masks: z.strictObject({ added: strings, removed: strings, changed: strings }),
      reason: z.string().optional(),
      count,
      examples: z.array(
        z.strictObject({
          entry: count,
          session: z.string(),
          sequence: count,
          at: time,
          agent: z.string(),
          text: z.string(),
        }),
      ),
    }),
  ),
  unlisted: count,
  agents: z.array(z.strictObject({ id: z.string(), name: z.string(), statements: count, changed: count })),
  rules: z.array(z.strictObject({ rule: z.string(), decided: count, before: count, after: count })),
  entries: count,
  from: count,
  cut: z.boolean(),
}) satisfies z.ZodType<BacktestReport>;

export const page = <Item extends z.ZodType>(item: Item) =>
  z.strictObject({
    items: z.array(item),
    next: z.string().optional().describe('Pass it on for the next page; absent on the last.'),
  });

const limit = (most: number, usual: number) => z.coerce.number().int().min(1).max(most).default(usual);
const cursor = z.string().max(200);
const filter = z.string().max(500);

export const sessionPath = z.strictObject({ id });
export const sessionQuery = z.strictObject({
  state: z.enum(['live', 'ended', 'all']).default('all'),
  target: filter.optional(),
  principal: filter.optional().describe('A principal id, or the beginning of a name.'),
  ruling: ruling.optional().describe('With at least one such decision.'),
  text: filter.optional().describe('Words, or beginnings of words, of one of its statements.'),
  before: cursor.optional(),
  limit: limit(200, 50),
});
export const statementQuery = z.strictObject({
  after: z.coerce.number().int().min(0).default(0).describe('Sequence number to go on from.'),
  limit: limit(500, 100),
});
export const replayQuery = z.strictObject({ limit: limit(1_000, 100).describe('Rows of each result.') });
export const killBody = z.strictObject({ reason: z.string().trim().min(1).max(500) });
export const approvalQuery = z.strictObject({
  state: z.enum(['pending', 'resolved', 'all']).default('all'),
  before: cursor.optional(),
  limit: limit(200, 50),
});
const shortText = z.string().min(1).max(200);
export const explainBody = z.strictObject({
  statement: z.string().min(1).max(50_000),
  target: shortText,
  database: shortText.optional(),
  principal: z.strictObject({
    kind,
    groups: z.array(shortText).max(100).default([]),
    claims: z.record(shortText, z.union([z.string(), z.number(), z.boolean(), strings])).optional(),
  }),
});
export const backtestBody = z.strictObject({
  days: z.number().min(0.01).max(3_650).default(30),
  policies: z
    .array(z.strictObject({ name: z.string().regex(/^[\w.-]{1,100}\.cedar$/), text: z.string() }))
    .min(1)
    .max(100)
    .optional()
    .describe('The draft; without it the policies in force.'),
  target: shortText.optional(),
  agent: shortText.optional().describe('A principal id, or the beginning of a name.'),
});
export const nothing = z.strictObject({});
