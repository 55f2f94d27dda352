// What leaves the gateway for other systems: events, metrics, traces.
import { z } from 'zod';

/** The forms of the schema that these parts share with the others. */
interface Forms {
  readonly name: z.ZodType<string>;
  readonly text: z.ZodString;
  readonly webUrl: z.ZodType<string>;
  readonly file: z.ZodType<{ file: string }>;
  readonly secret: z.ZodType<{ file: string } | { env: string }>;
}

const port = z.int().min(1).max(65_535);

/** RFC 9110, 5.6.2 */
const word = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,50}$/, { error: 'write a word such as Bearer' });
const pattern = z.string().regex(/^[a-z.*-]{1,40}$/, { error: 'write a type of entry such as statement.*' });

export function outlets({ file, name, secret, text, webUrl }: Forms) {
  const exportTo = z.strictObject({
    name: name.describe('Name of this sink: in receipts, in metrics, and of its cursor.'),
    to: z.enum(['file', 'syslog', 'http', 'otlp']).describe('Where events go.'),
    output: file.optional().describe('`file`: JSON lines are appended to it; it may be renamed away at any time.'),
    sync: z.boolean().default(true).describe('`file`: sync to the disk before a delivery counts.'),
    host: text.optional().describe('`syslog`: receiver, over TCP.'),
    port: port.default(6_514).describe('`syslog`: its port.'),
    tls: z
      .strictObject({
        ca: file.optional().describe('Certificate authorities to trust, PEM. Default: those of the system.'),
        cert: file.optional().describe('Client certificate, PEM.'),
        key: file.optional().describe('Key of the client certificate, PEM.'),
        name: text.optional().describe('Name that the certificate must carry. Default: `host`.'),
      })
      .optional()
      .describe('`syslog`: TLS, as RFC 5425 has it. Without it only loopback is accepted.'),
    facility: z.int().min(0).max(23).default(13).describe('`syslog`: facility; 13 is "log audit".'),
    url: webUrl.optional().describe('`http`, `otlp`: where to POST. https, except on loopback.'),
    format: z
      .enum(['ndjson', 'json', 'cloudevents', 'splunk', 'elastic'])
      .default('ndjson')
      .describe('`http`: JSON lines, an array, a CloudEvents batch, Splunk’s HTTP event collector, Elastic’s `_bulk`.'),
    gzip: z.boolean().default(true).describe('`http`, `otlp`: compress.'),
    token: secret.optional().describe('`http`, `otlp`: token of the authorization header.'),
    scheme: word.default('Bearer').describe('`http`, `otlp`: word before the token, such as `Splunk` or `ApiKey`.'),
    sign: secret.optional().describe('`http`: key for an HMAC over each delivery, as Standard Webhooks have it.'),
    types: z.array(pattern).max(100).default([]).describe('Types of entries, such as `statement.*`. Default: all.'),
    targets: z
      .array(text)
      .max(1_000)
      .default([])
      .describe('Targets whose sessions are exported. Default: all. Entries that belong to no session always are.'),
    statements: z
      .enum(['recorded', 'digest'])
      .default('recorded')
      .describe('Texts of statements as they are recorded, or only their SHA-256.'),
    from: z
      .enum(['beginning', 'now'])
      .default('beginning')
      .describe('Where a new sink begins: at the first entry of the ledger, or at what comes.'),
    batch: z.int().min(1).max(10_000).default(500).describe('Events in one delivery at most.'),
    timeoutSeconds: z.int().min(1).max(600).default(30).describe('Time for one delivery.'),
    receiptSeconds: z
      .int()
      .min(1)
      .max(86_400)
      .default(60)
      .describe('Deliveries of so long share one `export.receipt` in the ledger.'),
  });
  const metrics = z.strictObject({
    address: text.default('127.0.0.1').describe('Address to listen on.'),
    port: z.int().min(0).max(65_535).describe('Port to listen on; 0 lets the system choose.'),
    tls: z
      .strictObject({ cert: file.describe('Certificate chain, PEM.'), key: file.describe('Private key, PEM.') })
      .optional()
      .describe('Certificate; needed where the address is not loopback.'),
    token: secret
      .optional()
      .describe('Token that a scraper must send as a bearer; needed where the address is not loopback.'),
  });
  const traces = z.strictObject({
    otlp: webUrl.describe(
      'Collector, OTLP over HTTP, such as `https://collector.example.org/v1/traces`. https, except on loopback.',
    ),
    token: secret.optional().describe('Token of the authorization header.'),
    scheme: word.default('Bearer').describe('Word before the token.'),
  });
  return {
    traces: traces
      .optional()
      .describe('A span for each statement that its client put into a sampled trace (docs/tracing.md).'),
    metrics: metrics.optional().describe('Prometheus metrics, `GET /metrics` (docs/metrics.md).'),
    exports: z.array(exportTo).max(20).default([]).describe('Events of everything in the ledger, for other systems.'),
  };
}
