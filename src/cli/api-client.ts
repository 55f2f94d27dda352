// The gateway's HTTP API as commands use it: where it is, who asks, and what its refusals mean for the exit code (docs/api.md).
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { Problem } from '../api/contract.ts';
import { Exit, type Io } from './output.ts';

export interface ApiChoice {
  readonly url?: string;
  readonly tokenFile?: string;
}

export interface ApiClient {
  get<T>(path: string, query?: Readonly<Record<string, string | number | undefined>>): Promise<T>;
  post<T>(path: string, body: unknown): Promise<T>;
}

const longestToken = 16 * 1024;
const longestWait = 60_000;

/** Options of every command that asks a gateway. */
export function takesApi(command: Command): Command {
  return command
    .option('--url <url>', 'address of the console (default: COUNTERSIGN_URL)')
    .option('--token-file <path>', 'file with your token (default: COUNTERSIGN_TOKEN_FILE, then COUNTERSIGN_TOKEN)');
}

/** Throws Exit: 2 when address or token are missing, later 3 when nothing answers and 1 when the answer is a refusal. */
export function openClient(choice: ApiChoice, io: Io): ApiClient {
  const base = addressOf(choice, io);
  const token = tokenOf(choice, io);

  async function call<T>(path: string, init: RequestInit): Promise<T> {
    let response: Response;
    let text: string;
    try {
      response = await fetch(new URL(path, base), {
        ...init,
        // A token is for this address only.
        redirect: 'error',
        signal: AbortSignal.timeout(longestWait),
        headers: { ...init.headers, authorization: `Bearer ${token}`, accept: 'application/json' },
      });
      text = await response.text();
    } catch (cause) {
      const { code } = ((cause as Error).cause ?? {}) as { code?: string };
      throw new Exit(
        3,
        `${base.origin} does not answer${code ? ` (${code})` : ''}. Check --url and that the gateway runs.`,
      );
    }
    const body = parse(text);
    if (response.ok && body !== undefined) return body as T;
    const problem = body as Partial<Problem> | undefined;
    if (typeof problem?.message !== 'string') {
      throw new Exit(3, `${base.origin} answers, but not as a gateway (HTTP ${response.status}). Check --url.`);
    }
    throw new Exit(response.status >= 500 ? 3 : 1, `${problem.message} (${problem.code})`);
  }

  return {
    get(path, query = {}) {
      const search = new URLSearchParams();
      for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
      return call(search.size === 0 ? path : `${path}?${search.toString()}`, { method: 'GET' });
    },
    post: (path, body) =>
      call(path, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  };
}

/** One path segment; ids come from people. */
export function segment(id: string): string {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(id)) throw new Exit(2, `${id} is not an id. Take it from the list.`);
  return id;
}

function addressOf(choice: ApiChoice, io: Io): URL {
  const given = choice.url ?? io.env['COUNTERSIGN_URL'];
  if (!given) throw new Exit(2, 'Where is the gateway? Add --url http://127.0.0.1:8080 or set COUNTERSIGN_URL.');
  if (!URL.canParse(given))
    throw new Exit(2, `${given} is not a URL. Write one such as https://countersign.example.org.`);
  const url = new URL(given);
  const loopback = ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && loopback)) {
    throw new Exit(2, `A token is never sent to ${url.origin} in the clear. Use https, or http on this machine only.`);
  }
  return url;
}

function tokenOf(choice: ApiChoice, io: Io): string {
  const path = choice.tokenFile ?? io.env['COUNTERSIGN_TOKEN_FILE'];
  let token = io.env['COUNTERSIGN_TOKEN'];
  if (path) {
    try {
      token = readFileSync(path, 'utf8');
    } catch (cause) {
      throw new Exit(2, `The token cannot be read: ${(cause as Error).message}.`);
    }
  }
  const trimmed = token?.trim() ?? '';
  if (trimmed === '') {
    throw new Exit(
      2,
      'Who asks? Add --token-file with a token of your identity provider, or set COUNTERSIGN_TOKEN_FILE.',
    );
  }
  // Its text is never repeated: it may be a secret of another kind in the wrong place.
  if (!/^[\x21-\x7e]+$/.test(trimmed) || trimmed.length > longestToken) {
    throw new Exit(2, `${path ?? 'COUNTERSIGN_TOKEN'} does not hold a token alone. Put nothing else in it.`);
  }
  return trimmed;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
