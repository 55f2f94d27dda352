// Asking a key service: bounded in time, in attempts and in what is read. Nothing of a request or an answer reaches an error.
import http from 'node:http';
import https from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ServiceRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface ServiceAnswer {
  readonly status: number;
  /** Undefined when it was not JSON. */
  readonly body: unknown;
}

export interface Service {
  /** Rejects with ServiceSilent when nothing answered. Made anew for each attempt: a signature is good for one. */
  ask(request: () => ServiceRequest | Promise<ServiceRequest>): Promise<ServiceAnswer>;
  close(): void;
}

export interface ServiceOptions {
  /** Authorities to trust, PEM; default: those of the system. */
  readonly ca?: string | Buffer;
  /** Longest time for one attempt, in milliseconds. */
  readonly timeoutMs: number;
  readonly attempts?: number;
  /** Before the second attempt; longer before each further one. */
  readonly pauseMs?: number;
}

/** Nothing came back; the message is a code of the system, such as ECONNREFUSED. */
export class ServiceSilent extends Error {
  constructor(why: string) {
    super(why);
    this.name = 'ServiceSilent';
  }
}

const longestAnswer = 8 * 1024 * 1024;
/** Too many requests, or trouble on the other side: the next attempt may fare better. */
const passing: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);

export function openService({ ca, timeoutMs, attempts = 3, pauseMs = 200 }: ServiceOptions): Service {
  const agents = {
    'http:': new http.Agent({ keepAlive: true, maxSockets: 16 }),
    'https:': new https.Agent({ keepAlive: true, maxSockets: 16, minVersion: 'TLSv1.2', ...(ca ? { ca } : {}) }),
  };

  function once({ method, url, headers, body }: ServiceRequest): Promise<ServiceAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<ServiceAnswer>();
    const to = new URL(url);
    const { protocol } = to;
    const module = protocol === 'https:' ? https : http;
    const silent = (error: NodeJS.ErrnoException) =>
      reject(new ServiceSilent(error.name === 'TimeoutError' ? 'no answer in time' : (error.code ?? 'no answer')));
    const signal = AbortSignal.timeout(timeoutMs);
    const request = module.request(
      to,
      { method, headers, agent: agents[protocol as keyof typeof agents], signal },
      (response) => {
        const parts: Buffer[] = [];
        let length = 0;
        response.on('data', (part: Buffer) => {
          length += part.length;
          if (length > longestAnswer) response.destroy(Object.assign(new Error(), { code: 'answer too long' }));
          else parts.push(part);
        });
        response.on('error', silent);
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: parsed(Buffer.concat(parts)) }));
      },
    );
    request.on('error', (error) => silent(signal.aborted ? (signal.reason as Error) : error));
    request.end(body);
    return promise;
  }

  return {
    async ask(request) {
      for (let attempt = 1; ; attempt++) {
        const last = attempt === attempts;
        try {
          const answer = await once(await request());
          if (last || !passing.has(answer.status)) return answer;
        } catch (cause) {
          if (last || !(cause instanceof ServiceSilent)) throw cause;
        }
        await sleep(pauseMs * attempt);
      }
    },
    close() {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** A member of an answer, where it is a text. */
export function textOf(value: unknown, ...path: readonly string[]): string | undefined {
  let at = value;
  for (const name of path) at = (at as Record<string, unknown> | null | undefined)?.[name];
  return typeof at === 'string' ? at : undefined;
}

/** Runs `one` for each of many, `width` at a time; the results in order. The first failure ends it. */
export async function eachOf<From, To>(
  many: readonly From[],
  width: number,
  one: (from: From) => Promise<To>,
): Promise<To[]> {
  const results: To[] = [];
  let next = 0;
  const lane = async () => {
    while (next < many.length) {
      const at = next++;
      results[at] = await one(many[at]!);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, many.length) }, lane));
  return results;
}
