// `ledger.timestamps` and `ledger.receipts`: who outside keeps checkpoints (docs/verify.md).
import { z } from 'zod';
import { address, smtp } from './mail-schema.ts';

const text = z.string().min(1).max(1_000);
const file = z.strictObject({ file: text.describe('Path, relative to this configuration file.') });
export const timestampsPart = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: 'write a URL such as http://timestamp.example.org' })
    .describe('Where the authority answers (RFC 3161 over HTTP). What it signs is checked, so http will do.'),
  ca: file.describe('Certificates of the authorities that its certificate must come from, PEM.'),
  everyHours: z.int().min(1).max(744).default(24).describe('Time between time stamps.'),
  timeoutSeconds: z.int().min(1).max(120).default(20).describe('Longest wait for one answer.'),
});

const receiptPeriods = ['hourly', 'daily', 'weekly', 'monthly'] as const;

export const receiptsPart = z.strictObject({
  to: z
    .array(address)
    .min(1)
    .max(20)
    .describe('Who is sent a receipt: somebody whom nobody who runs the gateway rules.'),
  from: address.describe('Sender.'),
  every: z
    .enum(receiptPeriods)
    .default('daily')
    .describe('How often: at the hour, at 06:00 UTC, on Mondays, on the first of the month.'),
  smtp,
});
