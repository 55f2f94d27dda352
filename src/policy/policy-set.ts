// Policy files → a validated set. Ids are the @id annotations, obligations the other annotations (DESIGN §4). Whatever is
// not understood here stops the load: a misspelt annotation must not turn a hold into nothing.
import { hash } from 'node:crypto';
import {
  type DetailedError,
  type PolicyJson,
  policySetTextToParts,
  policyToJson,
  type SourceLocation,
  validate,
} from '@cedar-policy/cedar-wasm/nodejs';
import type { Next } from '../domain/decision.ts';
import type { Grade } from '../domain/grade.ts';
import { contextAttributes } from './circumstances.ts';
import { cedarSchema } from './schema.ts';

export interface PolicyFile {
  /** File name within the folder; part of the version. */
  readonly name: string;
  readonly text: string;
}

export interface HoldTerms {
  readonly group: string;
  readonly quorum: number;
  readonly grade?: Exclude<Grade, 'session'>;
  readonly ttlSeconds: number;
}

/** What a policy's annotations say. */
export interface Rule {
  readonly id: string;
  readonly effect: 'permit' | 'forbid';
  readonly file: string;
  readonly line: number;
  readonly hold?: HoldTerms;
  readonly advice?: string;
  readonly next: Next;
  /** Evaluated and recorded, never enforced. */
  readonly shadow?: true;
}

export interface PolicySet {
  /** `sha256:` and the hash over schema and sorted files. */
  readonly version: string;
  readonly files: readonly PolicyFile[];
  readonly rules: ReadonlyMap<string, Rule>;
  /** Cedar text by rule id, of the rules that decide. */
  readonly texts: Readonly<Record<string, string>>;
  /** The same set with its shadow rules deciding too; absent when there is none. */
  readonly shadow?: PolicySet;
  /** Context attributes that some policy reads; `undefined` when it could read any. */
  readonly reads: ReadonlySet<string> | undefined;
}

export interface PolicyProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** Every problem of a policy folder at once; `message` has one `file:line:column: …` a line. */
export class PolicyErrors extends Error {
  readonly problems: readonly PolicyProblem[];
  constructor(problems: readonly PolicyProblem[]) {
    super(
      problems.map((problem) => `${problem.file}:${problem.line}:${problem.column}: ${problem.message}`).join('\n'),
    );
    this.name = 'PolicyErrors';
    this.problems = problems;
  }
}

export interface LoadOptions {
  /** Lifetime of an approval request where the policy has no @ttl. */
  readonly ttlSeconds?: number;
}

const known = ['id', 'hold', 'quorum', 'signed', 'ttl', 'advice', 'next', 'description', 'shadow'];
const longestTtl = 7 * 86_400;

/** Validates strictly and returns the set. Throws PolicyErrors. Files that do not end in `.cedar` are not policies. */
export function loadPolicies(files: readonly PolicyFile[], options: LoadOptions = {}): PolicySet {
  const sorted = files.filter((file) => file.name.endsWith('.cedar')).sort((a, b) => (a.name < b.name ? -1 : 1));
  const problems: PolicyProblem[] = [];
  const rules = new Map<string, Rule>();
  const texts: Record<string, string> = Object.create(null);
  const shadowTexts: Record<string, string> = Object.create(null);
  const reads = emptyReads();
  const shadowReads = emptyReads();

  for (const file of sorted) {
    const parts = policySetTextToParts(file.text);
    if (parts.type === 'failure') {
      problems.push(...unique(parts.errors.map((error) => problem(file, 0, error))));
      continue;
    }
    for (const template of parts.policy_templates) {
      problems.push({
        ...position(file, bytesBefore(file.text, template)),
        message: 'templates are not used here: write a policy without ?principal and ?resource',
      });
    }
    for (const text of parts.policies) {
      const start = bytesBefore(file.text, text);
      const json = policyToJson(text);
      if (json.type === 'failure') {
        problems.push(...json.errors.map((error) => problem(file, start, error)));
        continue;
      }
      const at = position(file, start);
      const say = (message: string) => problems.push({ ...at, message });
      const rule = readRule(json.json, at, options.ttlSeconds ?? 900, say);
      const checked = validate({
        schema: cedarSchema,
        policies: { staticPolicies: { [rule?.id ?? 'policy']: text } },
        validationSettings: { mode: 'strict' },
      });
      const errors = checked.type === 'failure' ? checked.errors : checked.validationErrors.map((found) => found.error);
      problems.push(...unique(errors.map((error) => problem(file, start, error))));
      const attributes = contextAttributes(json.json);
      const into = rule?.shadow ? shadowReads : reads;
      if (attributes === undefined) into.any = true;
      else for (const name of attributes) into.names.add(name);
      if (!rule) continue;
      const twin = rules.get(rule.id);
      if (twin) say(`@id("${rule.id}") is taken by ${twin.file}:${twin.line}: choose another`);
      rules.set(rule.id, rule);
      (rule.shadow ? shadowTexts : texts)[rule.id] = text;
    }
  }
  if (sorted.length === 0)
    problems.push({
      file: 'policies',
      line: 1,
      column: 1,
      message: 'no .cedar file: nothing would be permitted; start from the default guardrails',
    });
  if (problems.length > 0) throw new PolicyErrors(problems);
  const version = `sha256:${hash('sha256', JSON.stringify([cedarSchema, sorted.map((file) => [file.name, file.text])]))}`;
  const set: PolicySet = { version, files: sorted, rules, texts, reads: reads.any ? undefined : reads.names };
  if (Object.keys(shadowTexts).length === 0) return set;
  const shadow: PolicySet = {
    ...set,
    texts: Object.assign(Object.create(null), texts, shadowTexts),
    reads: reads.any || shadowReads.any ? undefined : new Set([...reads.names, ...shadowReads.names]),
  };
  return { ...set, shadow };
}

const emptyReads = () => ({ names: new Set<string>(), any: false });

/** Annotations → rule; says what is wrong with them. */
function readRule(
  json: PolicyJson,
  at: { file: string; line: number },
  ttlSeconds: number,
  say: (message: string) => void,
): Rule | undefined {
  const annotations = json.annotations ?? {};
  for (const name of Object.keys(annotations)) {
    if (!known.includes(name))
      say(`@${name} is not an annotation: use one of ${known.map((word) => `@${word}`).join(', ')}`);
  }
  const { id, hold, quorum, signed, ttl, advice, next, shadow } = annotations;
  if (!id) say('a policy needs a name: write @id("area.what") above it');
  else if (!/^[a-z0-9][a-z0-9._-]{0,79}$/i.test(id)) say(`@id("${id}"): use up to 80 letters, digits, dots and dashes`);
  if (hold !== undefined && json.effect !== 'forbid')
    say('@hold belongs on a forbid: write forbid, and a permit for what happens once it is granted');
  if (hold === '') say('@hold names the group that may vote: write @hold("dba")');
  if (hold === undefined && (quorum !== undefined || ttl !== undefined || signed !== undefined))
    say('@quorum, @signed and @ttl belong to a @hold: add @hold("group") or remove them');
  const people = quorum === undefined ? 1 : Number(quorum);
  if (!Number.isInteger(people) || people < 1 || people > 20)
    say(`@quorum("${quorum}"): write a number of people from 1 to 20`);
  // An annotation without a value has none: null.
  const grade = signed === undefined ? undefined : ({ any: 'signed', verified: 'verified' } as const)[signed ?? 'any'];
  if (signed !== undefined && grade === undefined)
    say(`@signed("${signed}"): write any, or verified for keys that check who is there`);
  const seconds = ttl === undefined ? ttlSeconds : readTtl(ttl);
  if (seconds === undefined)
    say(`@ttl("${ttl}"): write seconds, or a number with s, m, h or d such as @ttl("15m"), up to 7d`);
  if (next !== undefined && !['final', 'change', 'ask'].includes(next))
    say(`@next("${next}"): write final, change or ask`);
  if (!id) return undefined;
  return {
    id,
    effect: json.effect,
    file: at.file,
    line: at.line,
    advice,
    next: (next as Next | undefined) ?? 'final',
    hold: hold
      ? { group: hold, quorum: people, ...(grade ? { grade } : {}), ttlSeconds: seconds ?? ttlSeconds }
      : undefined,
    ...(shadow === undefined ? {} : { shadow: true }),
  };
}

/** `90`, `90s`, `15m`, `2h`, `1d` → seconds, within (0, 7 days]. */
function readTtl(text: string): number | undefined {
  const match = /^(\d{1,7})([smhd]?)$/.exec(text);
  if (!match) return undefined;
  const seconds =
    Number(match[1]) * { '': 1, s: 1, m: 60, h: 3_600, d: 86_400 }[match[2] as '' | 's' | 'm' | 'h' | 'd'];
  return seconds > 0 && seconds <= longestTtl ? seconds : undefined;
}

/** Cedar counts bytes of the text that it was given, which starts `base` bytes into the file. */
function problem(file: PolicyFile, base: number, error: DetailedError): PolicyProblem {
  const location: SourceLocation | undefined = error.sourceLocations?.[0];
  const label = error.sourceLocations?.[0]?.label;
  const text = error.message.replace(/^for policy `[^`]*`, /, '').replace(/^failed to parse polic[^:]*: /, '');
  const hint = [label, error.help?.replace(/^for policy `[^`]*`, /, '')].filter(Boolean).join('; ');
  return { ...position(file, base + (location?.start ?? 0)), message: hint ? `${text}: ${hint}` : text };
}

function bytesBefore(text: string, part: string): number {
  return Buffer.byteLength(text.slice(0, Math.max(0, text.indexOf(part))));
}

function position(file: PolicyFile, offset: number): { file: string; line: number; column: number } {
  const before = Buffer.from(file.text).subarray(0, offset).toString('utf8').split('\n');
  return { file: file.name, line: before.length, column: before.at(-1)!.length + 1 };
}

/** Cedar reports one error for each action that a policy spans. */
function unique(problems: readonly PolicyProblem[]): PolicyProblem[] {
  const seen = new Set<string>();
  return problems.filter((found) => {
    const key = `${found.line}:${found.column}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
