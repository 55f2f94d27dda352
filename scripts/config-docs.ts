// Writes what is made from the configuration's schema: countersign.schema.json and docs/config.md.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jsonSchema } from '../src/config/config.ts';
import { configPage } from '../src/config/page.ts';

const root = join(import.meta.dirname, '..');
const schema = join(root, 'countersign.schema.json');
writeFileSync(schema, `${JSON.stringify(jsonSchema(), null, 2)}\n`);
execFileSync(join(root, 'node_modules', '.bin', 'biome'), ['format', '--write', schema], { stdio: 'inherit' });
writeFileSync(join(root, 'docs', 'config.md'), configPage(jsonSchema()));
