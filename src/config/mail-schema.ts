// Mail, wherever the configuration speaks of it.
import { z } from 'zod';

const text = z.string().min(1).max(1_000);
const file = z.strictObject({ file: text.describe('Path, relative to this configuration file.') });
const environment = z.strictObject({
  env: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: 'write the name of an environment variable, such as SMTP_PASSWORD' })
    .describe('Name of an environment variable.'),
});
const secret = z.union([file, environment], {
  error: 'a secret is never written here: write { file: path } or { env: NAME }',
});

export const address = z.email({ error: 'write an address such as auditor@example.org' }).max(254);

export const smtp = z
  .strictObject({
    host: text.describe('Mail server.'),
    port: z.int().min(1).max(65_535).default(587).describe('Its port.'),
    tls: z
      .enum(['starttls', 'implicit', 'none'])
      .default('starttls')
      .describe('STARTTLS is demanded, not merely tried; `none` is for loopback.'),
    ca: file.optional().describe('Authorities to trust, PEM. Default: those of the system.'),
    user: text.optional().describe('User to sign in as.'),
    password: secret.optional().describe('Its password.'),
  })
  .describe('The server that takes the mail.');
