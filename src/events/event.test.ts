// Events against what OCSF 1.8.0 demands of their classes. The table is ours, derived from the public schema; the whole schema was
// run over the same events by hand.
import { describe, expect, it } from 'vitest';
import { entryTypes, type Json } from '../domain/entry.ts';
import type { JournalItem } from '../ledger/read-journal.ts';
import { asDigest, eventOf, isMapped } from './event.ts';
import { classes, type Fields, fields, list, severities } from './ocsf.ts';
import { sampleItems, secretLiteral } from './sample.suite.ts';
import { openSessions, sourceOf } from './sessions.ts';

const options = { origin: 'example.test/log', version: '0.1.0' };

function eventsOf(items: readonly JournalItem[], more: { wording?: (text: string) => string } = {}): Fields[] {
  const sessions = openSessions();
  return items.map((item) => JSON.parse(JSON.stringify(eventOf(item, sessions, { ...options, ...more }))) as Fields);
}

/** Attributes that any class has (base event, profile security_control). */
const base = new Set(
  `activity_id activity_name category_name category_uid class_name class_uid count duration end_time enrichments message metadata
  observables severity severity_id start_time status status_code status_detail status_id time type_name type_uid unmapped
  action action_id disposition disposition_id is_alert policy authorizations`.split(/\s+/),
);
const own: Readonly<Record<number, string>> = {
  1008: 'log_name log_type log_type_id log_provider actor device',
  2003: 'finding_info compliance resources',
  2004: 'finding_info resources evidences',
  3002: 'user actor service session src_endpoint dst_endpoint auth_protocol auth_protocol_id is_remote',
  3003: 'user privileges session actor src_endpoint dst_endpoint',
  3004: 'entity actor src_endpoint comment',
  4007: 'src_endpoint dst_endpoint',
  6002: 'app',
  6003: 'actor api src_endpoint dst_endpoint resources',
  6005: 'actor src_endpoint dst_endpoint database query_info table type type_id',
};
/** Objects: what one must have, at least one of some, or both. */
const objects: Readonly<Record<string, { all?: string; one?: string }>> = {
  actor: { one: 'process user invoked_by session app_name app_uid' },
  user: { one: 'account name uid' },
  src_endpoint: { one: 'ip uid name hostname svc_name domain' },
  dst_endpoint: { one: 'ip uid name hostname svc_name domain' },
  database: { all: 'type_id', one: 'name uid' },
  query_info: { all: 'query_string', one: 'name uid' },
  policy: { one: 'name type uid' },
  entity: { one: 'name uid device group org policy user' },
  api: { all: 'operation' },
  service: { one: 'name uid' },
  app: { one: 'name uid' },
  finding_info: { all: 'uid' },
  metadata: { all: 'version product' },
  product: { one: 'name uid' },
};
const required = 'activity_id category_uid class_uid metadata severity_id time type_uid'.split(' ');
const words = (text: string | undefined) => text?.split(' ') ?? [];

/** What is wrong with an event; nothing when it is right. */
function wrongs(event: Fields): string[] {
  const found: string[] = [];
  const of = Object.values(classes).find((one) => one.uid === event.class_uid);
  if (!of) return ['class_uid'];
  for (const name of [...required, ...of.required]) if (event[name] === undefined) found.push(`${name} is missing`);
  const known = new Set([...base, ...words(own[of.uid])]);
  for (const name of Object.keys(event)) if (!known.has(name)) found.push(`${name} is no attribute of ${of.name}`);
  if (event.category_uid !== Math.floor(of.uid / 1000)) found.push('category_uid');
  if (event.type_uid !== of.uid * 100 + Number(event.activity_id)) found.push('type_uid');
  if (!(String(event.activity_id) in of.activities)) found.push(`activity_id ${String(event.activity_id)}`);
  if (!(Object.values(severities) as Json[]).includes(event.severity_id as Json)) found.push('severity_id');
  if (event.status_id !== undefined && ![1, 2, 99].includes(Number(event.status_id))) found.push('status_id');
  const profiles = list(fields(event.metadata).profiles);
  if (!profiles.includes('security_control') && (event.action_id !== undefined || event.is_alert !== undefined))
    found.push('the profile security_control is not named');
  const visit = (value: Json | undefined, path: string) => {
    if (Array.isArray(value)) return value.forEach((one) => visit(one as Json, path));
    if (typeof value !== 'object' || value === null) return;
    for (const [name, inner] of Object.entries(value)) {
      if (name === 'unmapped') continue;
      const rule = objects[name];
      if (rule && typeof inner === 'object') {
        const has = (key: string) => fields(inner)[key] !== undefined;
        for (const key of words(rule.all)) if (!has(key)) found.push(`${path}${name}.${key} is missing`);
        if (rule.one && !words(rule.one).some(has)) found.push(`${path}${name} has none of ${rule.one}`);
      }
      visit(inner as Json, `${path}${name}.`);
    }
  };
  visit(event, '');
  return found;
}

describe('events of the record', () => {
  it('are valid OCSF of their class, with and without content, from any entry', () => {
    for (const items of [sampleItems(), sampleItems(true)])
      for (const event of eventsOf(items)) expect(wrongs(event), JSON.stringify(event)).toEqual([]);
  });

  it('every type of entry has a mapping and stands in the sample', () => {
    expect(entryTypes.filter((type) => !isMapped(type))).toEqual([]);
    const seen = new Set<string>(sampleItems().map(({ entry }) => entry.t));
    expect(entryTypes.filter((type) => !seen.has(type))).toEqual([]);
  });

  it('an entry of a newer kind becomes an event all the same', () => {
    const [first] = sampleItems();
    const strange = { ...first!, entry: { ...first!.entry, t: 'tomorrow.thing' as never } };
    expect(eventsOf([strange]).map((event) => [event.class_uid, wrongs(event)])).toEqual([[1008, []]]);
  });

  it('the check is one that can fail', () => {
    const [event] = eventsOf(sampleItems().slice(-1));
    expect(wrongs({ ...event, class_uid: 1 })).not.toEqual([]);
    expect(wrongs({ ...event, severity_id: 7 })).not.toEqual([]);
    expect(wrongs({ ...event, app: {} })).not.toEqual([]);
    expect(wrongs({ ...event, made_up: 1 })).not.toEqual([]);
    expect(wrongs({ ...event, app: undefined })).not.toEqual([]);
  });

  it('statements say what was asked, what was ruled and how it ended', () => {
    const about = eventsOf(sampleItems()).flatMap((event) => {
      if (event.class_uid !== 6005 || fields(event.metadata).event_code === 'session.target') return [];
      const query = fields(event.query_info).query_string;
      return [[fields(event.metadata).event_code, event.activity_name, event.disposition, event.status, query]];
    });
    expect(about).toEqual([
      ['statement.decision', 'Connect', 'Allowed', 'Success', undefined],
      ['statement.decision', 'Delete', 'Delayed', 'Other', 'delete from customers'],
      ['statement.decision', 'Delete', 'Approved', 'Success', undefined],
      ['statement.outcome', 'Delete', undefined, 'Success', undefined],
      ['statement.decision', 'Delete', 'Blocked', 'Failure', 'drop table customers'],
      ['statement.decision', 'Query', 'Masked', 'Success', "select email from customers where email = '***'"],
      ['statement.outcome', 'Query', undefined, 'Success', undefined],
      ['statement.decision', 'Query', 'Allowed', 'Success', 'select 1/0'],
      ['statement.outcome', 'Query', undefined, 'Failure', undefined],
    ]);
  });

  it('nothing unmasked and nothing of the parameters is in them', () => {
    const text = JSON.stringify(eventsOf(sampleItems()));
    expect(text).not.toContain(secretLiteral);
    expect(text).not.toContain('parameters');
    expect(JSON.stringify(eventsOf(sampleItems(), { wording: asDigest }))).not.toContain('delete from');
  });

  it('each points at its leaf, by the same id whenever it is made', () => {
    const [one, again] = [eventsOf(sampleItems()), eventsOf(sampleItems())];
    expect(again).toEqual(one);
    const ids = one.map((event) => fields(event.metadata).uid);
    expect(new Set(ids).size).toBe(one.length);
    expect(ids[7]).toBe('example.test/log#7');
    expect(fields(fields(one[6]!.unmapped).transparency)).toMatchObject({
      index: 6,
      commitments: { who: 'c'.repeat(43) },
    });
  });

  it('from the middle they are the same, when what is still open was read again', () => {
    const items = sampleItems();
    const whole = eventsOf(items);
    for (let cut = 0; cut < items.length; cut++) {
      const sessions = openSessions();
      for (const item of items.slice(0, cut)) eventOf(item, sessions, options);
      const again = eventsOf(items.slice(sessions.since(cut)));
      expect(again.slice(cut - sessions.since(cut))).toEqual(whole.slice(cut));
    }
  });

  it('addresses are told apart from names', () => {
    expect(sourceOf('10.0.0.9:4711')).toEqual({ ip: '10.0.0.9', port: 4711 });
    expect(sourceOf('::1:4711')).toEqual({ ip: '::1', port: 4711 });
    expect(sourceOf('::ffff:10.0.0.9:4711')).toEqual({ ip: '::ffff:10.0.0.9', port: 4711 });
    expect(sourceOf('10.0.0.9')).toEqual({ ip: '10.0.0.9' });
    expect(sourceOf('unknown:0')).toEqual({ name: 'unknown:0' });
    expect(sourceOf(undefined)).toEqual({ name: 'unknown' });
  });
});
