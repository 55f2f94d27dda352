// docs/config.md from the schema, so that the page cannot promise a key that is not there (test: config/page).
import type { z } from 'zod';
import { example } from './example.ts';
import { alternatives } from './suggestion.ts';

type JsonSchema = z.core.JSONSchema.BaseSchema;

interface Row {
  readonly key: string;
  readonly value: string;
  readonly fallback: string;
  readonly meaning: string;
}

/** The whole page, Markdown. */
export function configPage(root: JsonSchema): string {
  const required = new Set(root.required);
  const sections = Object.entries(root.properties ?? {}).map(([key, part]) => {
    const rows = rowsOf(part as JsonSchema, key, required.has(key));
    return `## ${key}\n\n${table(rows)}`;
  });
  return `${intro}\n\`\`\`yaml\n${example}\`\`\`\n\n${sections.join('\n')}`;
}

const intro = `# Configuration

<!-- Generated from src/config/schema.ts by scripts/config-docs.ts: change it there. -->

One file, \`countersign.yaml\`. It is found by \`--config\`, else by \`COUNTERSIGN_CONFIG\`, else in the current folder; nothing else in the
environment changes what a gateway does. An unknown key is an error. Paths are relative to the file. A secret is never written
here: it is a reference, \`{ file: path }\` or \`{ env: NAME }\`, which is read when it is needed.

\`countersign config check\` says line by line what is wrong; \`countersign config show\` prints what is in effect, with every default.
\`countersign.schema.json\` is the same as a JSON schema, for editors.
`;

function rowsOf(schema: JsonSchema, key: string, required: boolean): Row[] {
  const inner = structures(schema);
  const own: Row = {
    key,
    value: words(schema),
    fallback: required ? 'required' : fallback(schema),
    meaning: schema.description ?? '',
  };
  return [own, ...inner.flatMap(({ object, suffix }) => children(object, `${key}${suffix}`))];
}

function children(object: JsonSchema, key: string): Row[] {
  const required = new Set(object.required);
  return Object.entries(object.properties ?? {}).flatMap(([name, part]) =>
    rowsOf(part as JsonSchema, `${key}.${name}`, required.has(name)),
  );
}

/** Objects whose keys deserve rows of their own; references are explained once, in the introduction. */
function structures(schema: JsonSchema): { object: JsonSchema; suffix: string }[] {
  return alternatives(schema).flatMap((one) => {
    if (one.type === 'array' && one.items && typeof one.items === 'object' && !Array.isArray(one.items))
      return structures(one.items as JsonSchema).map(({ object, suffix }) => ({ object, suffix: `[]${suffix}` }));
    if (typeof one.additionalProperties === 'object')
      return structures(one.additionalProperties as JsonSchema).map(({ object, suffix }) => ({
        object,
        suffix: `.*${suffix}`,
      }));
    return one.properties && reference(one) === undefined ? [{ object: one, suffix: '' }] : [];
  });
}

function reference(schema: JsonSchema): string | undefined {
  const keys = Object.keys(schema.properties ?? {});
  if (keys.length !== 1) return undefined;
  return { file: '`{ file: path }`', env: '`{ env: NAME }`' }[keys[0]!];
}

/** What may be written as the value, in words. */
function words(schema: JsonSchema): string {
  const several = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])] as JsonSchema[];
  if (several.length > 0) return several.map(words).join(' or ');
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  const named = reference(schema);
  if (named) return named;
  switch (schema.type) {
    case 'array': {
      const item = schema.items as JsonSchema;
      if (item.properties) return 'list';
      return item.anyOf ? `list of: ${words(item)}` : `list of ${words(item).replace(/^(text|whole number)$/, '$1s')}`;
    }
    case 'object':
      return typeof schema.additionalProperties === 'object'
        ? `map to ${words(schema.additionalProperties as JsonSchema)}`
        : 'keys below';
    case 'boolean':
      return '`true` or `false`';
    case 'integer':
      return `whole number, ${range(schema)}`;
    case 'number':
      return `number, ${range(schema)}`;
    default:
      return schema.format === 'uri' ? 'URL' : 'text';
  }
}

const range = (schema: JsonSchema): string => `${schema.minimum} to ${schema.maximum}`;

function fallback(schema: JsonSchema): string {
  if (schema.default === undefined) return '–';
  return schema.type === 'object' ? 'as below' : `\`${JSON.stringify(schema.default)}\``;
}

function table(rows: readonly Row[]): string {
  const line = (row: Row) => `| \`${row.key}\` | ${row.value} | ${row.fallback} | ${row.meaning} |`;
  return `| key | value | default | meaning |\n|---|---|---|---|\n${rows.map(line).join('\n')}\n`;
}
