// The channels of `approvals.notify`, as the configuration wants them.
import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import { emailChannel } from '../approvals/channel-email.ts';
import { slackChannel, teamsChannel, webhookChannel } from '../approvals/channel-http.ts';
import type { Approvals } from '../approvals/inbox.ts';
import { type Channel, openNotices } from '../approvals/notices.ts';
import type { Config } from '../config/config.ts';
import { secret } from '../targets/secret.ts';

/** Starts telling; what it gives back ends it. */
export function openTelling({ approvals, console: { url } }: Config, inbox: Approvals, log: Logger): () => void {
  return openNotices({
    channels: approvals.notify.map(channelOf),
    inbox,
    baseUrl: approvals.url ?? url,
    now: Date.now,
    timers: {
      set: (call, ms) => setTimeout(call, ms).unref(),
      clear: (timer) => clearTimeout(timer as NodeJS.Timeout),
    },
    told(channel, { kind, approval }, failure) {
      // Never the cause itself: an address of a webhook is a secret, and errors quote it.
      if (failure) log.warn({ channel, approval: approval.id }, `people were not told (${kind})`);
      else log.debug({ channel, approval: approval.id }, `people were told (${kind})`);
    },
  }).close;
}

function channelOf(of: Config['approvals']['notify'][number]): Channel {
  return {
    name: of.name,
    groups: of.groups,
    afterMs: of.afterSeconds * 1_000,
    ...(of.everySeconds === undefined ? {} : { everyMs: of.everySeconds * 1_000 }),
    send: sender(of),
  };
}

function sender({ email, slack, teams, webhook }: Config['approvals']['notify'][number]): Channel['send'] {
  const { fetch } = globalThis;
  if (slack) return slackChannel({ url: () => secret(slack), fetch });
  if (teams) return teamsChannel({ url: () => secret(teams), fetch });
  if (webhook) return webhookChannel({ url: async () => webhook.url, secret: () => secret(webhook.secret), fetch });
  const { smtp, from, to } = email!;
  const { password, ca, ...server } = smtp;
  const at = {
    ...server,
    ...(ca ? { ca: readFileSync(ca.file, 'utf8') } : {}),
    ...(password ? { password: () => secret(password) } : {}),
  };
  return emailChannel({
    from,
    to,
    // Loaded with the first mail.
    deliver: async (mail) => (await import('../holders/mail.ts')).sendMail(at, mail),
  });
}
