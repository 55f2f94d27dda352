// A conversation played from bytes alone: steps of client, target, people and clock in any order, and what must hold whatever they are.
import { Fault, type FaultCode } from '../../src/domain/fault.ts';
import type { Denial, Permit } from '../../src/domain/permit.ts';
import type { Statement } from '../../src/domain/statement.ts';
import { openCopyMasks } from '../../src/masking/copy.ts';
import { compileMask } from '../../src/masking/method.ts';
import { clientMessage, clientPeer } from '../../src/protocols/postgres/codec.ts';
import { decodeParse } from '../../src/protocols/postgres/codec-extended.ts';
import { found, Framer } from '../../src/protocols/postgres/codec-framer.ts';
import { decodeQuery } from '../../src/protocols/postgres/codec-simple.ts';
import { openConversation } from '../../src/protocols/postgres/conversation.ts';
import { reservedName } from '../../src/protocols/postgres/conversation-state.ts';
import { told } from './messages.ts';
import { catalogue, readAnalysis, secret } from './readings.ts';

export const acts = [
  'client',
  'target',
  'grant',
  'deny',
  'fault',
  'hold',
  'catalogue',
  'catalogue-failed',
  'catalogue-awaited',
  'cancelled',
  'tick',
  'client-gone',
  'target-gone',
  'kill',
  'cancel-taken',
] as const;

export interface Step {
  readonly act: (typeof acts)[number];
  /** Which of the open questions a ruling answers; of the first step, whether all are answered at once. */
  readonly which: number;
  readonly bytes: Buffer;
}

/** Each step is its act, `which`, four bytes of length and its bytes. Any bytes are steps. */
export function readSteps(bytes: Buffer): Step[] {
  const steps: Step[] = [];
  for (let at = 0; at + 6 <= bytes.length && steps.length < 200; ) {
    const end = Math.min(bytes.length, at + 6 + bytes.readUInt32BE(at + 2));
    steps.push({
      act: acts[bytes[at]! % acts.length]!,
      which: bytes[at + 1]!,
      bytes: bytes.subarray(at + 6, end),
    });
    at = end;
  }
  return steps;
}

export function writeSteps(steps: readonly Step[]): Buffer {
  return Buffer.concat(
    steps.flatMap(({ act, which, bytes }) => {
      const head = Buffer.from([acts.indexOf(act), which, 0, 0, 0, 0]);
      head.writeUInt32BE(bytes.length, 2);
      return [head, bytes];
    }),
  );
}

const key = Buffer.alloc(32, 7);
/** Faults by which a session may end when peers say what they like; `gateway.internal` is not among them. */
const endings: ReadonlySet<FaultCode> = new Set<FaultCode>([
  'client.protocol',
  'client.limit',
  'target.protocol',
  'target.refused',
  'target.unreachable',
  'result.withheld',
  'statement.not-understood',
  'ledger.unavailable',
  'session.killed',
]);
const limits = {
  waitingBytes: 8 << 10,
  names: 12,
  messageBytes: 4 << 10,
  withheldBytes: 2 << 10,
  questions: 8,
  answers: 24,
  wholeBytes: 8 << 10,
  readingBytes: 32 << 10,
  preparedBytes: 4 << 10,
};

/** Plays the steps and says what is wrong, if anything is. */
export function played(steps: readonly Step[]): string | undefined {
  const wrong: string[] = [];
  const base: Permit = { granted: true, entry: 0, sequence: 1, masks: [] };
  const open = new Map<number, Statement>();
  const granted = new Map<Permit, number>();
  const allowed = new Set<string>(['']);
  const sent = new Framer({ peer: clientPeer });
  let ended: string | undefined;
  let toClient = 0;
  let fromPeers = 0;
  let readings = 0;
  /** Cancels under way to the target. */
  let cancels = 0;
  let unmasked = false;
  // A labelled value may come in a row, a COPY, an error or a notice; nothing of it may leave, unless as the answer to a statement
  // that was read as one without labelled columns: its results are the target's word.
  const tails = new Map<string, Buffer>();
  const see = (where: string, bytes: Uint8Array) => {
    if (unmasked) return;
    // It may leave in pieces.
    const seen = Buffer.concat([tails.get(where) ?? Buffer.alloc(0), bytes]);
    if (seen.includes(secret)) wrong.push(`${where} saw a labelled value`);
    tails.set(where, seen.subarray(-secret.length + 1));
  };
  const live = (what: string) => {
    if (ended !== undefined) wrong.push(`${what} after the end (${ended})`);
  };
  const conversation = openConversation(
    {
      toClient(bytes) {
        live('bytes to the client');
        toClient += bytes.length;
        see('the client', bytes);
      },
      toTarget(bytes, permit) {
        live('bytes to the target');
        if (permit !== base && !granted.has(permit)) wrong.push('bytes to the target with a permit that nobody gave');
        sent.push(Buffer.from(bytes));
        for (let kind = sent.next(); kind !== found.nothing; kind = sent.next()) {
          const { type, buffer, start, end } = sent;
          if (kind !== found.message || (type !== clientMessage.query && type !== clientMessage.parse)) continue;
          const parse = type === clientMessage.parse ? decodeParse(buffer, start, end) : undefined;
          const text = parse ? parse.text : decodeQuery(buffer, start, end);
          if (parse?.name !== reservedName && !allowed.has(text)) wrong.push(`sent unasked: ${text}`);
        }
      },
      ask(question, statement) {
        live('a question');
        if (open.has(question)) wrong.push('a question asked twice');
        open.set(question, statement);
      },
      withdraw: (question) => void (open.has(question) || wrong.push('a question withdrawn that is not open')),
      settle(permit, { code }) {
        if (code !== undefined && !/^[0-9A-Z]{5}$/.test(code)) wrong.push(`${code} is recorded as an SQLSTATE`);
        const times = granted.get(permit);
        if (times === undefined) wrong.push('an outcome for a permit that nobody gave');
        else if (times > 0) wrong.push('a second outcome for one permit');
        granted.set(permit, 1);
      },
      record: (side, bytes) => side === 'target' && see('the recording', bytes),
      readCatalogue: () => void readings++,
      checkCatalogue: () => void readings++,
      catalogueChanged: () => undefined,
      cancelTarget() {
        live('a cancel');
        cancels++;
      },
      pauseClient: () => live('a pause'),
      resumeClient: () => live('a resumption'),
      pauseTarget: () => live('a pause'),
      resumeTarget: () => live('a resumption'),
      close({ fault, cause }) {
        live('an end');
        ended = fault?.code ?? cause;
        if (fault && !endings.has(fault.code)) wrong.push(`${fault.code}: ${told(fault.cause ?? fault)}`);
      },
    },
    {
      permit: base,
      analyse: readAnalysis,
      preview: () => 'deny',
      catalogue,
      labels: () => [{ columns: 'public.customers.*', label: 'pii' }],
      compileMask: (mask, type, format) => compileMask(mask, type, format, key),
      openCopyMasks: (copy, columns) => openCopyMasks(copy, columns, key),
      limits,
    },
  );
  const rule = (question: number, how: (statement: Statement) => Permit | Denial | Fault) => {
    const statement = open.get(question);
    if (statement === undefined) return;
    open.delete(question);
    const ruling = how(statement);
    if (!(ruling instanceof Fault) && ruling.granted) {
      granted.set(ruling, 0);
      allowed.add(statement.text);
      unmasked ||= ruling.masks.some((masks) => masks.includes(null));
    }
    conversation.ruled(question, ruling);
  };
  /** One answer for each cancel, no more: a session whose cancels are never taken reads nothing of its own again. */
  const taken = () => {
    if (cancels === 0) return;
    cancels--;
    conversation.cancelTaken();
  };
  const grant = (statement: Statement): Permit => ({
    granted: true,
    entry: 1,
    sequence: 2,
    masks: statement.meaning.results.map((outputs) =>
      outputs.map(({ sources, direct }) =>
        sources.length > 0 ? { label: 'pii', method: 'full' as const, whole: !direct } : null,
      ),
    ),
  });
  const chosen = (which: number) => [...open.keys()][which % Math.max(1, open.size)] ?? 0;
  const atOnce = (steps[0]?.which ?? 0) % 4 !== 3;
  const act = ({ act: what, which, bytes }: Step): void => {
    switch (what) {
      case 'client':
      case 'target': {
        fromPeers += bytes.length + 64;
        // The memory of a chunk is used again as soon as the call is over.
        const chunk = Buffer.from(bytes);
        if (chunk.length > 0) conversation[what === 'client' ? 'fromClient' : 'fromTarget'](chunk);
        chunk.fill(0xee);
        return;
      }
      case 'grant':
        return rule(chosen(which), grant);
      case 'deny':
        return rule(chosen(which), () => ({
          granted: false,
          entry: 1,
          reason: 'not today',
          advice: 'Ask again.',
          next: 'change',
          cause: 'policy',
        }));
      case 'fault':
        return rule(chosen(which), () => new Fault(which % 2 ? 'client.limit' : 'ledger.unavailable', 'no'));
      case 'hold':
        return conversation.held(chosen(which), { id: 'h', url: 'http://console.example/h', group: 'dba', expires: 0 });
      case 'catalogue':
        return conversation.catalogueRead(catalogue);
      case 'catalogue-failed':
        return conversation.catalogueFailed(new Fault('target.unreachable', 'gone'));
      case 'catalogue-awaited':
        return conversation.catalogueAwaited();
      case 'cancelled':
        return conversation.cancelled();
      case 'tick':
        return conversation.tick();
      case 'client-gone':
        return conversation.clientGone();
      case 'target-gone':
        return conversation.targetGone();
      case 'kill':
        return conversation.kill(new Fault('session.killed', 'over'));
      case 'cancel-taken':
        return taken();
    }
  };
  try {
    for (const step of steps) {
      act(step);
      const owed = () => open.size > 0 || readings > 0 || cancels > 0;
      for (let turn = 0; atOnce && ended === undefined && turn < 40 && owed(); turn++) {
        for (const question of Array.from(open.keys())) rule(question, grant);
        while (cancels > 0) taken();
        for (; readings > 0; readings--) conversation.catalogueRead(catalogue);
      }
      conversation.busy();
    }
    conversation.clientGone();
    for (const question of Array.from(open.keys())) rule(question, grant);
  } catch (error) {
    wrong.push(told(error));
  }
  if (ended === undefined) wrong.push('a client that left did not end the conversation');
  for (const times of granted.values()) if (times === 0) wrong.push('a permit without an outcome');
  // Errors of our own are a few hundred bytes; masks may widen a cell.
  if (toClient > 4_096 + fromPeers * 40) wrong.push(`${fromPeers} bytes came and ${toClient} went to the client`);
  return wrong.length > 0 ? wrong.slice(0, 5).join('\n') : undefined;
}
