// Events over HTTP, in the shapes that receivers know: JSON lines, an array, CloudEvents, Splunk's HEC, Elastic's bulk.
import { createHmac } from 'node:crypto';
import { post, readSecret } from './post.ts';
import { type HttpSinkOptions, NotDelivered, type Outgoing, type Sink } from './sink.ts';

interface Shape {
  readonly type: string;
  body(batch: readonly Outgoing[]): string;
  /** What is wrong with an answer that came with 2xx. */
  refused?(answer: string): string | undefined;
}

const lines = (batch: readonly Outgoing[], line: (one: Outgoing) => string) =>
  batch.map((one) => `${line(one)}\n`).join('');

const shapes: Readonly<Record<HttpSinkOptions['format'], Shape>> = {
  ndjson: { type: 'application/x-ndjson', body: (batch) => lines(batch, ({ json }) => json) },
  json: { type: 'application/json', body: (batch) => `[${batch.map(({ json }) => json).join(',')}]` },
  cloudevents: {
    type: 'application/cloudevents-batch+json',
    body: (batch) => `[${batch.map(cloudEvent).join(',')}]`,
  },
  splunk: {
    type: 'application/json',
    body: (batch) =>
      lines(
        batch,
        ({ classUid, json, time }) =>
          `{"time":${time / 1_000},"source":"countersign","sourcetype":"ocsf:${classUid}","event":${json}}`,
      ),
    refused: (answer) => (fieldOf(answer, 'code') === 0 ? undefined : 'the collector did not answer with code 0'),
  },
  elastic: {
    type: 'application/x-ndjson',
    // "create" with our id: an event that comes twice is found to be there.
    body: (batch) => lines(batch, ({ json, uid }) => `{"create":{"_id":${JSON.stringify(uid)}}}\n${json}`),
    refused(answer) {
      if (fieldOf(answer, 'errors') === false) return undefined;
      const items = fieldOf(answer, 'items');
      if (!Array.isArray(items)) return 'the bulk answer cannot be read';
      const bad = items.filter((item: { create?: { status?: number } }) => {
        const status = item?.create?.status ?? 0;
        return status !== 409 && (status < 200 || status > 299);
      });
      return bad.length === 0 ? undefined : `${bad.length} of ${items.length} events were not indexed`;
    },
  },
};

export function openHttpSink(options: HttpSinkOptions): Sink {
  const shape = shapes[options.format];
  return {
    async deliver(batch) {
      const body = shape.body(batch);
      const { url, gzip, scheme, token } = options;
      const headers = options.sign ? signed(batch, body, await readSecret(options.sign)) : {};
      const answer = await post({
        url,
        type: shape.type,
        body,
        gzip,
        token,
        scheme,
        headers,
        timeoutMs: options.timeoutSeconds * 1_000,
      });
      const wrong = shape.refused?.(answer);
      if (wrong !== undefined) throw new NotDelivered(wrong);
    },
    async close() {},
  };
}

/** Standard Webhooks: the id is the same when the same batch comes again; the time is that of the sending. */
function signed(batch: readonly Outgoing[], body: string, key: string): Record<string, string> {
  const id = `${batch[0]!.uid}-${batch.at(-1)!.index}`;
  const time = String(Math.floor(Date.now() / 1_000));
  const bytes = key.startsWith('whsec_') ? Buffer.from(key.slice(6), 'base64') : Buffer.from(key);
  const mac = createHmac('sha256', bytes).update(`${id}.${time}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': `v1,${mac}` };
}

function cloudEvent({ index, json, time, type, uid }: Outgoing): string {
  const head = {
    specversion: '1.0',
    id: uid,
    source: `countersign:${uid.slice(0, uid.lastIndexOf('#'))}`,
    type: `countersign.${type}`,
    time: new Date(time).toISOString(),
    datacontenttype: 'application/json',
    sequence: String(index).padStart(15, '0'),
  };
  return `${JSON.stringify(head).slice(0, -1)},"data":${json}}`;
}

function fieldOf(answer: string, key: string): unknown {
  try {
    return (JSON.parse(answer) as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}
