// `approvals.notify`: who is told that a statement waits, and how (docs/approvals.md, "Being told").
import { z } from 'zod';
import { address, smtp } from './mail-schema.ts';

const text = z.string().min(1).max(1_000);
const secret = z.union([z.strictObject({ file: text }), z.strictObject({ env: text })], {
  error: 'a secret is never written here: write { file: path } or { env: NAME }',
});
const seconds = z.int().min(0).max(86_400);

export const notify = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9-]{1,40}$/, { error: 'write a name of a-z, 0-9 and -, such as dba-mail' })
      .describe('Name of this channel, in the log.'),
    groups: z.array(text).min(1).optional().describe('Groups whose requests are told here. Default: all.'),
    afterSeconds: seconds
      .default(0)
      .describe('Told only when a request still waits after this time: more than 0 is an escalation.'),
    everySeconds: seconds.min(30).optional().describe('Time between reminders, of which there are five at most.'),
    email: z
      .strictObject({
        from: address.describe('Sender.'),
        to: z.array(address).min(1).max(100).describe('Who is told.'),
        smtp,
      })
      .optional()
      .describe('By e-mail, in plain text.'),
    slack: secret.optional().describe('By Slack: reference to the address of an incoming webhook.'),
    teams: secret
      .optional()
      .describe('By Microsoft Teams: reference to the address of a workflow that takes webhooks.'),
    webhook: z
      .strictObject({
        url: z
          .url({ protocol: /^https?$/, error: 'write a URL such as https://pager.example.org/hook' })
          .describe('Where it goes.'),
        secret: secret.describe('`whsec_` and base64; signs each message as Standard Webhooks says.'),
      })
      .optional()
      .describe('By a POST of JSON to anybody.'),
  })
  .refine(({ email, slack, teams, webhook }) => [email, slack, teams, webhook].filter(Boolean).length === 1, {
    error: 'a channel is one of email, slack, teams and webhook: write one of them',
  });
