// Sinks of events, metrics and traces: each with its own keys and no others, and nothing in the clear but on this machine.
import { type Broken, isLoopback, secureOrLoopback, twins } from './rule-parts.ts';
import type { Settings } from './schema.ts';

type Key = keyof Settings['exports'][number];

const own: Readonly<Record<Settings['exports'][number]['to'], readonly Key[]>> = {
  file: ['output'],
  syslog: ['host', 'tls'],
  http: ['url', 'token', 'sign'],
  otlp: ['url', 'token'],
};
const needed = { file: 'output', syslog: 'host', http: 'url', otlp: 'url' } as const;
const optional = ['output', 'host', 'tls', 'url', 'token', 'sign'] as const;

export function outletRules({ exports: sinks, metrics, targets, traces }: Settings): Broken[] {
  const broken = twins(
    ['exports'],
    'name',
    sinks.map((sink) => sink.name),
    'another sink has this name: choose another',
  );
  for (const [index, sink] of sinks.entries()) {
    const path = ['exports', index];
    const say = (at: string, message: string) => broken.push({ path: [...path, at], message });
    for (const key of optional)
      if (sink[key] !== undefined && !own[sink.to].includes(key))
        say(key, `a sink to ${sink.to} has no ${key}: leave it out`);
    const missing = needed[sink.to];
    if (sink[missing] === undefined) broken.push({ path, message: `it goes nowhere: add ${missing}` });
    if (sink.to === 'syslog' && !sink.tls && sink.host !== undefined && !isLoopback(sink.host))
      say('host', 'the record would travel in the clear: add tls');
    if ((sink.tls?.cert === undefined) !== (sink.tls?.key === undefined))
      say('tls', 'a client certificate needs cert and key: add the missing one');
    if (sink.url !== undefined && !secureOrLoopback(sink.url))
      say('url', 'the record would travel in the clear: write https://');
    if (sink.url !== undefined && new URL(sink.url).username !== '')
      say('url', 'a secret is never written here: use token');
    for (const [at, target] of sink.targets.entries())
      if (!targets.some((one) => one.name === target))
        broken.push({
          path: [...path, 'targets', at],
          message: `no target has this name: write one of ${targets.map((one) => one.name).join(', ')}`,
        });
  }
  if (metrics && !isLoopback(metrics.address) && !(metrics.tls && metrics.token))
    broken.push({
      path: ['metrics', 'address'],
      message: 'anybody could read them: add tls and token, or listen on 127.0.0.1',
    });
  if (traces && !secureOrLoopback(traces.otlp))
    broken.push({ path: ['traces', 'otlp'], message: 'traces would travel in the clear: write https://' });
  return broken;
}
