// All sinks of a gateway on one thread, so that exporting costs the data path nothing.
import { parentPort, workerData } from 'node:worker_threads';
import { type KeyPlace, openKeyProvider } from '../keys/open-provider.ts';
import { openKeyring } from '../ledger/keyring.ts';
import { type Exporter, type LogPlace, openExporter, type Receipt, type SinkStatus } from './exporter.ts';
import { openFileSink } from './file-sink.ts';
import { openHttpSink } from './http-sink.ts';
import { openOtlpSink } from './otlp-sink.ts';
import type { Sink, SinkOptions } from './sink.ts';
import { openSyslogSink } from './syslog-sink.ts';

export interface WorkerOptions {
  /** The log that is written, and before it those that it continues, oldest first. */
  readonly logs: readonly LogPlace[];
  readonly state: string;
  /** Who opens the keys; default: master.key of the state folder. */
  readonly keys?: KeyPlace;
  readonly version: string;
  readonly sinks: readonly SinkOptions[];
}

export type ToExports =
  | { readonly do: 'recorded'; readonly id: number; readonly failure?: string }
  | { readonly do: 'test'; readonly id: number; readonly sink: string }
  | { readonly do: 'close' };
export type FromExports =
  | { readonly is: 'receipt'; readonly id: number; readonly receipt: Receipt }
  | { readonly is: 'status'; readonly sinks: readonly SinkStatus[] }
  | { readonly is: 'tested'; readonly id: number; readonly failure?: string }
  | { readonly is: 'closed' };

const port = parentPort!;
const tell = (message: FromExports) => port.postMessage(message);
const { sinks, keys: keyPlace, ...place } = workerData as WorkerOptions;
const keys = openKeyring(place.state, keyPlace && openKeyProvider(keyPlace));
const waiting = new Map<number, { resolve(): void; reject(cause: Error): void }>();
let asked = 0;

function receipt(of: Receipt): Promise<void> {
  const id = ++asked;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  waiting.set(id, { resolve, reject });
  tell({ is: 'receipt', id, receipt: of });
  return promise;
}

function openSink(of: SinkOptions): Sink {
  switch (of.to) {
    case 'file':
      return openFileSink(of);
    case 'syslog':
      return openSyslogSink(of);
    case 'http':
      return openHttpSink(of);
    case 'otlp':
      return openOtlpSink(of, place.version);
  }
}

const exporters = new Map<string, Exporter>(
  sinks.map((sink) => [sink.name, openExporter({ ...place, keys, sink }, openSink(sink), receipt)]),
);
const say = () => tell({ is: 'status', sinks: [...exporters.values()].map((one) => one.status()) });
const saying = setInterval(say, 1_000);
for (const exporter of exporters.values()) void exporter.run();
say();

port.on('message', (message: ToExports) => {
  if (message.do === 'recorded') {
    const one = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.failure === undefined) one?.resolve();
    else one?.reject(new Error(message.failure));
  }
  if (message.do === 'test') {
    const { id, sink } = message;
    exporters
      .get(sink)!
      .test()
      .then(
        () => tell({ is: 'tested', id }),
        (cause: Error) => tell({ is: 'tested', id, failure: cause.message }),
      );
  }
  if (message.do === 'close') void close();
});

async function close(): Promise<void> {
  clearInterval(saying);
  await Promise.allSettled([...exporters.values()].map((one) => one.close()));
  keys.close();
  say();
  tell({ is: 'closed' });
  port.close();
}
