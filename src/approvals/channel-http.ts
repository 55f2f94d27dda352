// Channels that are a POST: Slack's and Microsoft Teams' incoming webhooks, and generic ones with the signature of Standard Webhooks.
import { createHmac } from 'node:crypto';
import type { Approval } from './approval.ts';
import { type Notice, noticeWords, type NoticeWords } from './notice.ts';
import { shownVote } from './vote.ts';

export interface HttpOptions {
  /** Read each time, so that it can be changed without a restart. Holds a secret in its path where the platform wants it so. */
  readonly url: () => Promise<string>;
  readonly fetch: typeof globalThis.fetch;
}

const timeoutMs = 10_000;

/** Slack: blocks whose free text stands in a block of plain characters, so that nothing in it is markup. */
export function slackChannel(options: HttpOptions) {
  return (notice: Notice) => post(options, slackMessage(noticeWords(notice)));
}

/** Microsoft Teams: an adaptive card in the form that its workflows take. */
export function teamsChannel(options: HttpOptions) {
  return (notice: Notice) => post(options, teamsMessage(noticeWords(notice)));
}

/** Anybody: the request as JSON, signed (standardwebhooks.com, specification 1.0.0). `secret` begins with `whsec_`. */
export function webhookChannel(options: HttpOptions & { readonly secret: () => Promise<string> }) {
  return async (notice: Notice) => {
    const body = JSON.stringify(webhookBody(notice));
    const timestamp = String(Math.floor(notice.at / 1_000));
    const signature = webhookSignature(await options.secret(), notice.id, timestamp, body);
    return post(options, body, {
      'webhook-id': notice.id,
      'webhook-timestamp': timestamp,
      'webhook-signature': signature,
    });
  };
}

/** `v1,` and base64 of HMAC-SHA-256 over id, timestamp and body. Throws when the secret is not `whsec_` and base64. */
export function webhookSignature(secret: string, id: string, timestamp: string, body: string): string {
  const base64 = /^whsec_([A-Za-z0-9+/]{32,}={0,2})$/.exec(secret)?.[1];
  if (base64 === undefined) throw new Error('the secret of a webhook is whsec_ and base64 of 24 bytes or more');
  const mac = createHmac('sha256', Buffer.from(base64, 'base64')).update(`${id}.${timestamp}.${body}`);
  return `v1,${mac.digest('base64')}`;
}

async function post(options: HttpOptions, body: string, headers: Record<string, string> = {}): Promise<void> {
  const response = await options.fetch(await options.url(), {
    method: 'POST',
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`it answered ${response.status}`);
}

/** Slack's three: they are how its own markup begins (Slack, "Formatting text", escaping). */
const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const plain = (text: string) => ({ type: 'plain_text', text: text.slice(0, 3_000), emoji: false });

function slackMessage({ title, facts, text, warnings, url }: NoticeWords): string {
  const line = (value: string) => ({ type: 'rich_text_section', elements: [{ type: 'text', text: value }] });
  return JSON.stringify({
    text: escaped(title),
    unfurl_links: false,
    blocks: [
      { type: 'header', text: plain(title.slice(0, 150)) },
      ...(facts.length > 0
        ? [{ type: 'rich_text', elements: facts.map(([name, value]) => line(`${name}: ${value}`)) }]
        : []),
      ...(text === undefined
        ? []
        : [
            {
              type: 'rich_text',
              elements: [{ type: 'rich_text_preformatted', elements: [{ type: 'text', text: text || ' ' }] }],
            },
          ]),
      ...(warnings.length > 0 ? [{ type: 'context', elements: warnings.map(plain) }] : []),
      { type: 'actions', elements: [{ type: 'button', text: plain('Read and answer'), url }] },
    ],
  });
}

function teamsMessage({ title, facts, text, warnings, url }: NoticeWords): string {
  // Runs of text are not read as markdown, blocks of text are.
  const run = (value: string, more: object = {}) => ({
    type: 'RichTextBlock',
    inlines: [{ type: 'TextRun', text: value, ...more }],
  });
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    body: [
      run(title, { weight: 'Bolder', size: 'Medium' }),
      ...facts.map(([name, value]) => run(`${name}: ${value}`)),
      ...(text === undefined ? [] : [run(text, { fontType: 'Monospace' })]),
      ...warnings.map((one) => run(one, { color: 'Warning' })),
    ],
    actions: [{ type: 'Action.OpenUrl', title: 'Read and answer', url }],
  };
  const attachments = [{ contentType: 'application/vnd.microsoft.card.adaptive', content }];
  return JSON.stringify({ type: 'message', attachments });
}

function webhookBody({ kind, at, approval, url, count }: Notice) {
  return {
    type: `approval.${kind}`,
    timestamp: new Date(at).toISOString(),
    data: { url, count, approval: dataOf(approval) },
  };
}

const dataOf = (of: Approval) => ({ ...of, votes: of.votes.map(shownVote) });
