// Events as OpenTelemetry logs (OTLP 1 over HTTP, JSON). Written here and not by the SDK's exporter, which counts a batch as
// delivered when the collector took only a part of it (ADR: event export).
import { post } from './post.ts';
import { NotDelivered, type OtlpSinkOptions, type Outgoing, type Sink } from './sink.ts';

/** OpenTelemetry's numbers for our severities. */
const severities: Readonly<Record<number, readonly [number, string]>> = {
  1: [9, 'INFO'],
  2: [10, 'INFO2'],
  3: [13, 'WARN'],
  4: [17, 'ERROR'],
  5: [18, 'ERROR2'],
};

export function openOtlpSink(options: OtlpSinkOptions, version: string): Sink {
  return {
    async deliver(batch) {
      const { url, gzip, scheme, token } = options;
      const timeoutMs = options.timeoutSeconds * 1_000;
      const body = logs(batch, version);
      const answer = await post({ url, type: 'application/json', body, gzip, token, scheme, timeoutMs });
      const rejected = rejectedOf(answer);
      if (rejected > 0) throw new NotDelivered(`the collector rejected ${rejected} of ${batch.length} events`);
    },
    async close() {},
  };
}

function logs(batch: readonly Outgoing[], version: string): string {
  return JSON.stringify({
    resourceLogs: [
      {
        resource: { attributes: [attribute('service.name', 'countersign'), attribute('service.version', version)] },
        scopeLogs: [{ scope: { name: 'countersign.events', version }, logRecords: batch.map(record) }],
      },
    ],
  });
}

function record({ classUid, index, json, severity, time, type, uid }: Outgoing): object {
  const [number, words] = severities[severity] ?? [9, 'INFO'];
  const { traceId, spanId, flags } = traceOf(json);
  return {
    timeUnixNano: `${time}000000`,
    observedTimeUnixNano: `${time}000000`,
    severityNumber: number,
    severityText: words,
    eventName: `countersign.${type}`,
    body: { stringValue: json },
    attributes: [
      attribute('event.id', uid),
      { key: 'ocsf.class_uid', value: { intValue: String(classUid) } },
      { key: 'countersign.ledger.index', value: { intValue: String(index) } },
    ],
    ...(traceId === undefined ? {} : { traceId, spanId, flags }),
  };
}

/** So that a backend shows the event beside the trace that the agent began. */
function traceOf(json: string): { traceId?: string; spanId?: string; flags?: number } {
  const found = /"traceparent":"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})"/.exec(json);
  return found ? { traceId: found[1], spanId: found[2], flags: Number.parseInt(found[3]!, 16) } : {};
}

const attribute = (key: string, value: string) => ({ key, value: { stringValue: value } });

function rejectedOf(answer: string): number {
  try {
    const { partialSuccess } = JSON.parse(answer || '{}') as {
      partialSuccess?: { rejectedLogRecords?: string | number };
    };
    return Number(partialSuccess?.rejectedLogRecords ?? 0);
  } catch {
    throw new NotDelivered('the answer of the collector cannot be read');
  }
}
