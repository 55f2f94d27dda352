import type { EffectRow, SessionDetail, VoteGrade } from '../../src/api/contract.ts';

const verbs: Readonly<Record<string, string>> = {
  connect: 'opens a session on',
  cancel: 'cancels a running statement of',
  'sql:read': 'reads',
  'sql:reveal': 'sees unmasked',
  'sql:insert': 'inserts into',
  'sql:update': 'updates',
  'sql:delete': 'deletes from',
  'sql:truncate': 'empties',
  'sql:create': 'creates',
  'sql:alter': 'alters',
  'sql:drop': 'drops',
  'sql:grant': 'changes privileges on',
  'sql:call': 'calls',
  'sql:copy_program': 'runs a program on the server of',
  'sql:file_read': 'reads a file on the server of',
  'sql:file_write': 'writes a file on the server of',
  'sql:session': 'changes a session setting of',
  'sql:transaction': 'begins or ends a transaction on',
  'sql:lock': 'locks',
  'sql:maintain': 'maintains',
  'sql:notify': 'notifies listeners of',
  'sql:listen': 'listens on',
  'sql:derive': 'copies labelled values from',
  'sql:probe': 'tests labelled values of',
  'sql:match': 'compares values with those of',
  'sql:unknown': 'does something that is not understood to',
};

const withObject = new Set(['sql:create', 'sql:alter', 'sql:drop']);

const notes: Readonly<Record<string, string>> = {
  unresolved: 'name not resolved',
  unreadable: 'body cannot be read',
  cascade: 'with everything that depends on it',
  definer: 'runs with its owner’s rights',
  prepared: 'two-phase: outlives the session',
  temporary: 'temporary',
  replace: 'replaces what is there',
  copies: 'with rows of a query',
  restart: 'restarts its sequences',
  revoke: 'revokes',
  role: 'changes the role',
  stop: 'stops listening',
  all: 'all there is',
  anonymous: 'a DO block',
  fired: 'set off by the statement, not written in it',
  fires: 'sets off triggers or rules',
  open: 'any number of values',
  overBudget: 'more than this session may ask',
  partial: 'in part',
  system: 'for the whole server',
  unreviewed: 'a function of the server that nobody reviewed',
};

/** An effect as a person says it: "deletes from public.orders", "drops column email of public.customers". Says every attribute. */
export function effectInWords(effect: EffectRow): string {
  const { hasWhere, object, name, command, ...rest } = effect.attributes ?? {};
  const said: string[] = [];
  let what = effect.resource;
  if (withObject.has(effect.action) && object !== undefined) {
    what = name !== undefined && command === undefined ? `${object} ${name} of ${what}` : `${object} ${what}`;
  } else if (object !== undefined) said.push(String(object));
  if (command !== undefined) said.push(name === undefined ? String(command) : `${command} ${name}`);
  else if (name !== undefined && !withObject.has(effect.action)) said.push(String(name));
  if (hasWhere === false) said.unshift('every row: no WHERE');
  for (const [key, value] of Object.entries(rest)) {
    if (value === true) said.push(notes[key] ?? key);
    else if (value !== false) said.push(`${key} ${value}`);
  }
  return `${verbs[effect.action] ?? effect.action} ${what}${said.length > 0 ? ` (${said.join('; ')})` : ''}`;
}

const destroying = new Set([
  'sql:delete',
  'sql:truncate',
  'sql:drop',
  'sql:copy_program',
  'sql:file_write',
  'sql:unknown',
]);
const reading = new Set(['connect', 'cancel', 'sql:read', 'sql:session', 'sql:transaction', 'sql:listen']);

/** How much an effect can hurt, for its colour; the words say the same. */
export function weight(effect: EffectRow): 'reads' | 'changes' | 'destroys' {
  if (destroying.has(effect.action) || effect.attributes?.hasWhere === false) return 'destroys';
  return reading.has(effect.action) ? 'reads' : 'changes';
}

const counted = new Intl.NumberFormat('en');
export const number = (value: number): string => counted.format(value);

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${number(value)} ${value === 1 ? one : many}`;
}

export function bytes(value: number): string {
  if (value < 1024) return `${value} B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  let scaled = value / 1024;
  let unit = 0;
  while (scaled >= 1024 && unit < units.length - 1) {
    scaled /= 1024;
    unit++;
  }
  return `${scaled.toFixed(scaled < 10 ? 1 : 0)} ${units[unit]}`;
}

/** A digest that people can compare by voice: its first and last characters in groups. */
export function shortDigest(hex: string): string {
  return `${hex.slice(0, 4)} ${hex.slice(4, 8)} … ${hex.slice(-4)}`;
}

/** A target, and its database where that has another name. */
export function place(row: { readonly target: string; readonly database: string }): string {
  return row.database === row.target ? row.target : `${row.target}/${row.database}`;
}

const whole = /^\*{3,4}$/;
const partial = /^\*{4}(.{4}|@\*{4}(\.[\p{L}\p{N}-]+)?)$/su;
const hashed = /^"?(?:masked:[0-9a-f]{24}|tok_[a-z2-7]{20})"?$|^tok_[a-z2-7]{20}@masked\.invalid$/;

/** Whether a value has the shape that a mask gives it (docs/masking.md). A NULL, a number or a token of digits cannot be told. */
export function looksMasked(value: string | null): boolean {
  return (
    value !== null &&
    (whole.test(value) || partial.test(value) || hashed.test(value) || value === '"****"' || value === '<masked/>')
  );
}

/** How a vote is bound to who gave it. */
export const gradeWords: Record<VoteGrade, string> = {
  session: 'by a click while signed in',
  signed: 'signed with their own key',
  verified: 'signed with a key that checked who was there',
};

/** What the policy asks of a vote. */
export const demandWords: Record<Exclude<VoteGrade, 'session'>, string> = {
  signed: 'signed with a key of their own',
  verified: 'signed with a key that checks who is there',
};

/** How long a session's content lives, or that it is gone: rows for people. */
export function lifeInWords(
  s: Pick<SessionDetail, 'shredded' | 'retention' | 'holds' | 'closed'>,
): readonly (readonly [string, string])[] {
  const day = (at: number) => new Date(at).toISOString().slice(0, 10);
  if (s.shredded) {
    const { at, rule, entry } = s.shredded;
    return [['Content', `shredded on ${day(at)} under the rule ${rule} (entry ${number(entry)}); its proofs remain`]];
  }
  const held = s.holds ?? [];
  const until = s.retention && `until ${day(s.retention.until)} (rule ${s.retention.rule})`;
  const kept = s.closed === undefined ? 'as long as it runs' : (until ?? 'for ever: no rule fits it');
  return [
    ['Content kept', kept],
    ...(held.length > 0
      ? [
          [
            'Held by',
            `${held.join(', ')}: not shredded while ${held.length === 1 ? 'it is' : 'they are'} in force`,
          ] as const,
        ]
      : []),
  ];
}
