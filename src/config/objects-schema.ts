// `ledger.objects`: an S3-compatible object store as the second place of the record (docs/storage.md).
import { z } from 'zod';

const text = z.string().min(1).max(1_000);
const file = z.strictObject({ file: text.describe('Path, relative to this configuration file.') });
const environment = z.strictObject({
  env: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: 'write the name of an environment variable, such as RECORD_SECRET' })
    .describe('Name of an environment variable.'),
});
const secret = z.union([file, environment], {
  error: 'a secret is never written here: write { file: path } or { env: NAME }',
});

const credentials = {
  accessKeyId: secret.describe('Access key id.'),
  secretAccessKey: secret.describe('Its secret.'),
  sessionToken: secret.optional().describe('Session token, where the key is a temporary one.'),
};

export const objectsPart = z.strictObject({
  endpoint: z
    .url({ protocol: /^https?$/, error: 'write a URL such as https://s3.eu-central-1.amazonaws.com' })
    .describe('Where the store answers. https, except on loopback.'),
  region: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/, { error: 'write a region such as eu-central-1' })
    .default('us-east-1')
    .describe('Its region, which requests are signed for.'),
  bucket: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, { error: 'write the name of a bucket' })
    .describe('Bucket. Versioning must be on.'),
  prefix: z
    .string()
    .regex(/^(?:[A-Za-z0-9][A-Za-z0-9._-]{0,62}\/){0,8}$/, {
      error: 'write a prefix that ends with a slash, such as gw-a/',
    })
    .default('')
    .describe('Put before every name. One log has one place: no two gateways share it.'),
  ...credentials,
  lock: z
    .strictObject({
      mode: z.literal('compliance').describe('The mode in which nobody, however powerful, can delete.'),
      days: z.int().min(1).max(36_500).describe('Days that what is written stays.'),
    })
    .optional()
    .describe('Object Lock on everything that is written. Without it what is copied can be deleted.'),
  waitSeconds: z
    .int()
    .min(1)
    .max(60)
    .default(5)
    .describe(
      'Longest time that a statement waits for `replicated`; then it is refused, and so is the next until the store answers.',
    ),
  checkpointSeconds: z
    .int()
    .min(1)
    .max(86_400)
    .default(60)
    .describe('Time between copies of checkpoint, tiles, closed segments and recordings. Frames are copied at once.'),
  probeSeconds: z
    .int()
    .min(60)
    .max(2_592_000)
    .default(86_400)
    .describe('Time between attempts to delete, shorten and overwrite, which must be refused.'),
  probeWith: z
    .strictObject(credentials)
    .optional()
    .describe(
      'Credentials for these attempts, with the right to delete: so that the lock refuses, and not a missing right.',
    ),
});
