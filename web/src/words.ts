import type { EffectRow } from '../../src/api/contract.ts';

const verbs: Readonly<Record<string, string>> = {
  connect: 'opens a session on',
  cancel: 'cancels a running statement of',
  'sql:read': 'reads',
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
  'sql:file_read': 'reads files on the server of',
  'sql:file_write': 'writes files on the server of',
  'sql:session': 'changes session settings of',
  'sql:transaction': 'begins or ends a transaction on',
  'sql:lock': 'locks',
  'sql:maintain': 'maintains',
  'sql:notify': 'notifies',
  'sql:listen': 'listens on',
  'sql:derive': 'copies labelled values from',
  'sql:probe': 'tests labelled values of',
  'sql:unknown': 'does something that is not understood to',
};

/** An effect as a person says it: "deletes from public.orders (no WHERE)". */
export function effectInWords(effect: EffectRow): string {
  const notes: string[] = [];
  if (effect.attributes?.hasWhere === false) notes.push('every row: no WHERE');
  if (effect.attributes?.unresolved === true) notes.push('name not resolved');
  if (effect.attributes?.unreadable === true) notes.push('body cannot be read');
  if (effect.attributes?.cascade === true) notes.push('with everything that depends on it');
  return `${verbs[effect.action] ?? effect.action} ${effect.resource}${notes.length > 0 ? ` (${notes.join('; ')})` : ''}`;
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

/** A digest a person can compare by voice: its first and last characters in groups. */
export function shortDigest(hex: string): string {
  return `${hex.slice(0, 4)} ${hex.slice(4, 8)} … ${hex.slice(-4)}`;
}
