// Each sink against a real receiver: files, TCP and TLS, HTTP.
import { createHmac } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newAuthority } from '../../test/peers/authority.ts';
import { type HttpReceiver, httpReceiver, syslogReceiver } from '../../test/peers/receivers.ts';
import { eventOf } from '../events/event.ts';
import { fields } from '../events/ocsf.ts';
import { sampleItems } from '../events/sample.suite.ts';
import { openSessions } from '../events/sessions.ts';
import { openFileSink } from './file-sink.ts';
import { openHttpSink } from './http-sink.ts';
import { openOtlpSink } from './otlp-sink.ts';
import type { HttpSinkOptions, Outgoing, SyslogSinkOptions } from './sink.ts';
import { openSyslogSink } from './syslog-sink.ts';

let folder: string;
const closers: (() => Promise<void> | void)[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sinks-'));
});
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
  rmSync(folder, { recursive: true, force: true });
});

const common = {
  name: 'siem',
  types: [],
  targets: [],
  statements: 'recorded',
  from: 'beginning',
  batch: 100,
  timeoutSeconds: 2,
  receiptSeconds: 60,
} as const;

const sessions = openSessions();
const events: readonly Outgoing[] = sampleItems().map((item) => {
  const event = eventOf(item, sessions, { origin: 'example.test/log', version: '0' });
  return {
    index: item.index,
    uid: String(fields(event.metadata).uid),
    time: item.entry.ts,
    type: item.entry.t,
    classUid: Number(event.class_uid),
    severity: Number(event.severity_id),
    json: JSON.stringify({ ...event, message: `Grüße ${item.index} 🐘` }),
  };
});
const parsed = (texts: readonly string[]) => texts.map((one) => JSON.parse(one) as { metadata: { uid: string } });
const uids = (texts: readonly string[]) => parsed(texts).map((one) => one.metadata.uid);
const wanted = events.map(({ uid }) => uid);

describe('file', () => {
  const options = () =>
    ({ ...common, to: 'file', output: { file: join(folder, 'events.jsonl') }, sync: true }) as const;
  const lines = (name: string) => readFileSync(join(folder, name), 'utf8').trimEnd().split('\n');

  test('appends whole lines, for nobody else to read, and follows a renamed file', async () => {
    const sink = openFileSink(options());
    closers.push(() => sink.close());
    await sink.deliver(events.slice(0, 10));
    expect(statSync(join(folder, 'events.jsonl')).mode & 0o777).toBe(0o600);
    renameSync(join(folder, 'events.jsonl'), join(folder, 'events.1'));
    await sink.deliver(events.slice(10));
    expect(uids(lines('events.1'))).toEqual(wanted.slice(0, 10));
    expect(uids(lines('events.jsonl'))).toEqual(wanted.slice(10));
  });

  test('a torn last line is taken back before anything follows it', async () => {
    const { file } = options().output;
    const long = 'x'.repeat(100_000);
    writeFileSync(file, `{"metadata":{"uid":"before"}}\n{"torn":"${long}`);
    const sink = openFileSink(options());
    await sink.deliver(events.slice(0, 1));
    await sink.close();
    expect(uids(lines('events.jsonl'))).toEqual(['before', wanted[0]]);
    rmSync(file);
    appendFileSync(file, `{"torn`);
    const again = openFileSink(options());
    await again.deliver(events.slice(0, 1));
    await again.close();
    expect(uids(lines('events.jsonl'))).toEqual([wanted[0]]);
  });

  test('a folder that is not there is told of, and tried again', async () => {
    const sink = openFileSink({ ...options(), output: { file: join(folder, 'gone', 'events.jsonl') } });
    await expect(sink.deliver(events)).rejects.toThrow('the file cannot be written (ENOENT)');
    await expect(sink.deliver(events)).rejects.toThrow('ENOENT');
    expect(existsSync(join(folder, 'gone'))).toBe(false);
  });
});

describe('syslog', () => {
  const options = (port: number, tls?: SyslogSinkOptions['tls']) =>
    ({ ...common, to: 'syslog', host: '127.0.0.1', port, facility: 13, ...(tls ? { tls } : {}) }) as const;
  const form =
    /^<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([!-~]{1,255}) countersign (\d+) ([a-z.-]{1,32}) \[meta sequenceId="(\d+)"\] (\{[ -~]*\})$/;

  test('messages of RFC 5424, octets counted, in ASCII', async () => {
    const receiver = await syslogReceiver();
    closers.push(() => receiver.close());
    await openSyslogSink(options(receiver.port)).deliver(events);
    const found = receiver.messages.map((one) => form.exec(one));
    expect(found.filter((one) => one === null)).toEqual([]);
    expect(uids(found.map((one) => one![7]!))).toEqual(wanted);
    expect((JSON.parse(found[3]![7]!) as { message: string }).message).toBe('Grüße 3 🐘');
    expect(found[0]!.slice(1, 3)).toEqual(['110', '2025-11-20T09:00:00.000Z']);
    expect(receiver.broken).toEqual([]);
  });

  test('over TLS the receiver is verified', async () => {
    const [authority, stranger] = [await newAuthority('syslog'), await newAuthority('stranger')];
    const { cert, key } = await authority.issue({ usage: 'server', names: [{ type: 'dns', value: 'logs.example' }] });
    const receiver = await syslogReceiver({ cert, key });
    closers.push(() => receiver.close());
    for (const [name, of] of Object.entries({ right: authority, wrong: stranger }))
      writeFileSync(join(folder, name), of.cert);
    const to = (ca: string, name: string) =>
      openSyslogSink(options(receiver.port, { ca: { file: join(folder, ca) }, name }));
    await expect(to('wrong', 'logs.example').deliver(events)).rejects.toThrow('syslog: ');
    await expect(to('right', 'other.example').deliver(events)).rejects.toThrow('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(receiver.messages).toEqual([]);
    const sink = to('right', 'logs.example');
    await sink.deliver(events);
    await sink.deliver(events.slice(0, 1));
    expect(receiver.messages).toHaveLength(events.length + 1);
  });

  test('a receiver that goes away in the middle has taken nothing', async () => {
    const receiver = await syslogReceiver();
    closers.push(() => receiver.close());
    receiver.breaks = true;
    const sink = openSyslogSink(options(receiver.port));
    const many = Array.from({ length: 40 }, () => events).flat();
    await expect(sink.deliver(many)).rejects.toThrow('syslog');
    receiver.breaks = false;
    await sink.deliver(events);
    expect(receiver.messages).toHaveLength(events.length);
  });

  test('nobody there', async () => {
    const receiver = await syslogReceiver();
    await receiver.close();
    await expect(openSyslogSink(options(receiver.port)).deliver(events)).rejects.toThrow('ECONNREFUSED');
  });
});

describe('http', () => {
  let receiver: HttpReceiver;
  beforeEach(async () => {
    receiver = await httpReceiver();
    closers.push(() => receiver.close());
    process.env.EVENTS_TOKEN = 'let-me-in';
  });
  const sink = (format: HttpSinkOptions['format'], more: Partial<HttpSinkOptions> = {}) =>
    openHttpSink({ ...common, to: 'http', url: `${receiver.url}/in`, format, gzip: true, scheme: 'Bearer', ...more });
  const body = () => receiver.received.at(-1)!.body;

  test('lines and arrays, with the token that the reference names', async () => {
    await sink('ndjson', { token: { env: 'EVENTS_TOKEN' } }).deliver(events);
    expect(uids(body().trimEnd().split('\n'))).toEqual(wanted);
    expect(receiver.received[0]).toMatchObject({
      path: '/in',
      headers: {
        authorization: 'Bearer let-me-in',
        'content-encoding': 'gzip',
        'content-type': 'application/x-ndjson',
      },
    });
    await sink('json', { gzip: false }).deliver(events);
    expect((JSON.parse(body()) as { metadata: { uid: string } }[]).map((one) => one.metadata.uid)).toEqual(wanted);
    expect(receiver.received[1]!.headers['content-encoding']).toBeUndefined();
  });

  test('CloudEvents carry the same id and the place in the log', async () => {
    await sink('cloudevents').deliver(events.slice(0, 2));
    expect(JSON.parse(body())).toMatchObject([
      { specversion: '1.0', id: wanted[0], source: 'countersign:example.test/log', sequence: '000000000000000' },
      { type: 'countersign.gateway.start', data: { metadata: { uid: wanted[1] } } },
    ]);
  });

  test('Splunk takes them when it says so', async () => {
    receiver.answer = (_, response) => void response.end('{"text":"Success","code":0}');
    await sink('splunk', { scheme: 'Splunk', token: { env: 'EVENTS_TOKEN' } }).deliver(events.slice(0, 3));
    expect(receiver.received[0]!.headers.authorization).toBe('Splunk let-me-in');
    const [first] = body().trimEnd().split('\n');
    expect(JSON.parse(first!)).toMatchObject({
      time: 1_763_629_200,
      sourcetype: 'ocsf:1008',
      event: { class_uid: 1008 },
    });
    receiver.answer = (_, response) => void response.end('{"text":"Server is busy","code":9}');
    await expect(sink('splunk').deliver(events)).rejects.toThrow('code 0');
  });

  test('Elastic: what is there already counts as taken, what failed does not', async () => {
    const items = (status: number) =>
      JSON.stringify({ errors: true, items: [{ create: { status: 201 } }, { create: { status } }] });
    receiver.answer = (_, response) => void response.end(items(409));
    await sink('elastic').deliver(events.slice(0, 2));
    expect(JSON.parse(body().split('\n')[0]!)).toEqual({ create: { _id: wanted[0] } });
    receiver.answer = (_, response) => void response.end(items(429));
    await expect(sink('elastic').deliver(events.slice(0, 2))).rejects.toThrow('1 of 2 events were not indexed');
    receiver.answer = (_, response) => void response.end('<html>');
    await expect(sink('elastic').deliver(events.slice(0, 2))).rejects.toThrow('cannot be read');
  });

  test('a signed delivery can be checked with the key alone', async () => {
    await sink('json', { sign: { value: 'whsec_c2VjcmV0' } }).deliver(events);
    const { headers } = receiver.received[0]!;
    const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body()}`;
    expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', 'secret').update(signed).digest('base64')}`);
  });

  test('refusals, redirects and silence are not deliveries, and name no secret', async () => {
    const told: string[] = [];
    const attempt = (more: Partial<HttpSinkOptions> = {}) =>
      sink('ndjson', { token: { env: 'EVENTS_TOKEN' }, ...more })
        .deliver(events)
        .catch((error: Error & { tooLarge?: boolean }) => void told.push(`${error.message} ${error.tooLarge}`));
    for (const status of [500, 413, 401]) {
      receiver.answer = (_, response) => void response.writeHead(status).end('let-me-in');
      await attempt();
    }
    receiver.answer = (_, response) => void response.writeHead(307, { location: `${receiver.url}/elsewhere` }).end();
    await attempt();
    receiver.answer = () => undefined;
    await attempt({ timeoutSeconds: 0.05 });
    delete process.env.EVENTS_TOKEN;
    await attempt();
    expect(told.slice(0, 3)).toEqual([
      'the receiver answered 500 false',
      'the receiver answered 413 true',
      'the receiver answered 401 false',
    ]);
    expect(told[4]).toContain('no answer in time');
    expect(told[5]).toContain('environment variable EVENTS_TOKEN');
    expect(told).toHaveLength(6);
    expect(told.join()).not.toContain('let-me-in');
    expect(receiver.received.map(({ path }) => path)).not.toContain('/elsewhere');
  });
});

describe('otlp', () => {
  test('log records whose body is the event, joined to the trace of the agent', async () => {
    const receiver = await httpReceiver();
    closers.push(() => receiver.close());
    const sink = openOtlpSink(
      { ...common, to: 'otlp', url: `${receiver.url}/v1/logs`, gzip: true, scheme: 'Bearer' },
      '0',
    );
    await sink.deliver(events);
    const sent = JSON.parse(receiver.received[0]!.body) as {
      resourceLogs: { resource: object; scopeLogs: { logRecords: LogRecord[] }[] }[];
    };
    const records = sent.resourceLogs[0]!.scopeLogs[0]!.logRecords;
    expect(uids(records.map(({ body }) => body.stringValue))).toEqual(wanted);
    expect(records[0]).toMatchObject({ timeUnixNano: '1763629200000000000', severityNumber: 9, severityText: 'INFO' });
    const traced = records.find(({ traceId }) => traceId !== undefined);
    expect(traced).toMatchObject({ traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7', flags: 1 });
    receiver.answer = (_, response) => void response.end('{"partialSuccess":{"rejectedLogRecords":"2"}}');
    await expect(sink.deliver(events)).rejects.toThrow(`rejected 2 of ${events.length}`);
  });
});

interface LogRecord {
  readonly body: { readonly stringValue: string };
  readonly traceId?: string;
}
