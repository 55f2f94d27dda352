// Spans to a collector, by OpenTelemetry's SDK: batched, bounded, and lost rather than waited for.
import { type Context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type SpanContext } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOnSampler,
  BasicTracerProvider,
  BatchSpanProcessor,
  type SpanExporter,
} from '@opentelemetry/sdk-trace-base';
import type { SpanRecord } from './spans.ts';

export interface SenderOptions {
  readonly url: string;
  readonly version: string;
  readonly gateway: string;
  /** Value of the authorization header, where one is wanted. */
  readonly authorization?: string;
  /** For tests. */
  readonly exporter?: SpanExporter;
}

export interface Sender {
  send(span: SpanRecord): void;
  /** Sends what is left, as far as the collector takes it. */
  close(): Promise<void>;
}

export function openSender({ authorization, exporter, gateway, url, version }: SenderOptions): Sender {
  const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
  const to = exporter ?? new OTLPTraceExporter({ url, headers, timeoutMillis: 10_000 });
  const provider = new BasicTracerProvider({
    // Only what the client sampled comes here.
    sampler: new AlwaysOnSampler(),
    resource: resourceFromAttributes({
      'service.name': 'countersign',
      'service.version': version,
      'service.instance.id': gateway,
    }),
    spanProcessors: [
      new BatchSpanProcessor(to, { maxQueueSize: 4_096, maxExportBatchSize: 512, scheduledDelayMillis: 1_000 }),
    ],
  });
  const tracer = provider.getTracer('countersign', version);
  return {
    send(of) {
      const links = of.link === undefined ? [] : [{ context: contextOf(of.link) }];
      const parent: Context = trace.setSpanContext(ROOT_CONTEXT, contextOf(of.parent));
      const { attributes, name, start } = of;
      const span = tracer.startSpan(name, { kind: SpanKind.SERVER, startTime: start, attributes, links }, parent);
      for (const event of of.events) span.addEvent(event.name, event.attributes, event.at);
      if (of.error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: of.error });
      span.end(of.end);
    },
    async close() {
      await provider.shutdown().catch(() => undefined);
    },
  };
}

function contextOf(traceparent: string): SpanContext {
  const [, traceId, spanId, flags] = traceparent.split('-');
  return { traceId: traceId!, spanId: spanId!, traceFlags: Number.parseInt(flags!, 16), isRemote: true };
}
