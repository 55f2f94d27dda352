import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cruise, type ICruiseResult } from 'dependency-cruiser';
import { beforeAll, describe, expect, test } from 'vitest';

const sources = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name) && !name.includes('node_modules') && !/(^|\/)dist\//.test(name))
    .map((name) => join(folder, name));

describe('import direction', () => {
  let result: ICruiseResult;
  beforeAll(async () => {
    // @ts-expect-error a plain configuration file
    const { default: rules } = await import('../../.dependency-cruiser.mjs');
    const { options, ...ruleSet } = rules;
    const cruised = await cruise(['src', 'web/src'], { ...options, ruleSet, validate: true });
    result = cruised.output as ICruiseResult;
  }, 60_000);

  test('every source file was read, with its type-only imports', () => {
    const read = new Set(result.modules.map((module) => module.source));
    const missing = [...sources('src'), ...sources('web/src')].filter((file) => !read.has(file));
    expect(missing).toEqual([]);
    const denial = result.modules.find((module) => module.source === 'src/domain/permit.ts');
    expect(denial?.dependencies.map((dependency) => dependency.resolved)).toContain('src/domain/decision.ts');
  });

  test('no rule is broken', () => {
    expect(
      result.summary.violations.map((violation) => `${violation.rule.name}: ${violation.from} → ${violation.to}`),
    ).toEqual([]);
  });
});

/** What no import rule can see: clocks, randomness and timers are globals. */
describe('pure folders', () => {
  const forbidden =
    /\b(Date\.now|new Date\(\)|Math\.random|performance\.now|setTimeout|setInterval|setImmediate|fetch\(|process\.(env|exit|hrtime|cwd|on)|randomBytes|randomUUID)\b/;
  for (const folder of ['src/domain', 'src/sql', 'src/policy', 'src/masking']) {
    test(`${folder} reads no clock, no environment and no randomness`, () => {
      const found = sources(folder)
        .filter((file) => !/\.(test|suite)\.ts$/.test(file))
        .flatMap((file) =>
          readFileSync(file, 'utf8')
            .split('\n')
            .flatMap((line, index) =>
              forbidden.test(line) && !/^\s*(\/\/|\*|\/\*)/.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [],
            ),
        );
      expect(found).toEqual([]);
    });
  }
});

describe('the house', () => {
  test('every folder of src stands in ARCHITECTURE.md', () => {
    const page = readFileSync('ARCHITECTURE.md', 'utf8');
    const folders = readdirSync('src', { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.length).toBeGreaterThan(10);
    expect(folders.map((folder) => folder.name).filter((name) => !page.includes(`\`${name}/\``))).toEqual([]);
  });

  test('no name that says nothing, no barrel', () => {
    const names = sources('src').filter((file) =>
      /(^|\/)(utils?|helpers?|common|shared|misc|lib|core|types|index)(\.tsx?$|\/)/.test(file),
    );
    expect(names).toEqual([]);
  });

  test('a file above 400 lines says why at its top', () => {
    const long = sources('src')
      .filter((file) => !file.includes('.generated.') && !file.endsWith('.test.ts'))
      .filter((file) => readFileSync(file, 'utf8').split('\n').length > 400)
      .filter((file) => !/long because/i.test(readFileSync(file, 'utf8').slice(0, 1200)));
    expect(long).toEqual([]);
  });

  test('the files a newcomer and an operator look for are there', () => {
    const expected = [
      'README.md',
      'ARCHITECTURE.md',
      'SECURITY.md',
      'CONTRIBUTING.md',
      'CHANGELOG.md',
      'LICENSE',
      'docs/adr/README.md',
      'docs/errors.md',
      'docs/config.md',
      'docs/ledger-format.md',
      'docs/policy.md',
      'docs/protocols/postgresql.md',
    ];
    expect(expected.filter((file) => !existsSync(file))).toEqual([]);
  });
});
