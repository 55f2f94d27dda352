// One delivery over HTTP: bounded in time, gzip where wanted, secrets read when they are needed and never shown.
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { secret, type SecretReference } from '../targets/secret.ts';
import { NotDelivered } from './sink.ts';

export interface Post {
  readonly url: string;
  readonly type: string;
  readonly body: string;
  readonly gzip: boolean;
  readonly timeoutMs: number;
  readonly token?: SecretReference;
  readonly scheme: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const zip = promisify(gzip);
/** An answer is a few words; a receiver that sends more is not read on. */
const longestAnswer = 4 * 1024 * 1024;

/** The answer's body when the receiver took it (2xx); else NotDelivered. */
export async function post(of: Post): Promise<string> {
  const headers: Record<string, string> = { 'content-type': of.type, ...of.headers };
  if (of.token) headers.authorization = `${of.scheme} ${await readSecret(of.token)}`;
  let body: Uint8Array | string = of.body;
  if (of.gzip) {
    headers['content-encoding'] = 'gzip';
    body = new Uint8Array(await zip(of.body));
  }
  let response: Response;
  let answer: string;
  try {
    const signal = AbortSignal.timeout(of.timeoutMs);
    // A redirect would carry the events, and the token, to somebody who was not configured.
    response = await fetch(of.url, { method: 'POST', headers, body, signal, redirect: 'error' });
    answer = await readAnswer(response);
  } catch (cause) {
    if (cause instanceof NotDelivered) throw cause;
    const { code } = ((cause as Error).cause ?? cause) as { code?: unknown };
    const why =
      (cause as Error).name === 'TimeoutError'
        ? 'no answer in time'
        : typeof code === 'string'
          ? code
          : 'the connection broke';
    throw new NotDelivered(`the receiver cannot be reached: ${why}`, { cause });
  }
  if (response.ok) return answer;
  throw new NotDelivered(`the receiver answered ${response.status}`, { tooLarge: response.status === 413 });
}

export async function readSecret(reference: SecretReference): Promise<string> {
  try {
    return await secret(reference);
  } catch (cause) {
    throw new NotDelivered((cause as Error).message, { cause });
  }
}

async function readAnswer(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body ?? []) {
    length += part.length;
    if (length > longestAnswer) throw new NotDelivered('the answer of the receiver is too long');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
