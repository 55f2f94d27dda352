// Routes about the policies: what is in force, what would be decided about a statement, what a draft would have changed. For
// viewers and admins: rules tell where the guard is thin, and examples quote what others sent.
import type { PrincipalKind, Principal } from '../domain/principal.ts';
import type { Explanation } from '../policy/explain-statement.ts';
import { findingsOf, type Surroundings } from '../policy/findings.ts';
import { loadPolicies, PolicyErrors, type PolicyFile, type PolicySet, type Rule } from '../policy/policy-set.ts';
import type { BacktestWish, LedgerBacktest } from '../store/backtest.ts';
import type { Access } from './access.ts';
import type { PolicyExplanation, PolicyStatus } from './contract.ts';
import { Refused } from './problem.ts';
import { type Route, route } from './route.ts';
import * as schemas from './schemas.ts';

export interface ExplainQuestion {
  readonly statement: string;
  readonly target: string;
  readonly database?: string;
  readonly principal: {
    readonly kind: PrincipalKind;
    readonly groups: readonly string[];
    readonly claims?: Principal['claims'];
  };
}

export interface PolicyParts {
  /** The set in force. */
  current(): PolicySet;
  readonly surroundings: Surroundings;
  /** Undefined for a target or database that there is not. */
  explain(question: ExplainQuestion): Promise<Explanation | undefined>;
  /** Undefined while another one runs. */
  backtest(files: readonly PolicyFile[], wish: BacktestWish): Promise<LedgerBacktest> | undefined;
}

/** Statements that one backtest looks at. */
const mostStatements = 200_000;
const day = 86_400_000;

export function policyRoutes(parts: PolicyParts & { readonly access: Access; now(): number }): Route[] {
  const { access } = parts;
  let status: { readonly of: PolicySet; readonly shown: PolicyStatus } | undefined;

  function demandViewer(principal: Principal): void {
    if (access.seesAll(principal)) return;
    throw new Refused('access.viewers', 'The policies are for members of a viewer or admin group. Ask one of them.');
  }

  return [
    route({
      method: 'GET',
      path: '/api/policy',
      summary: 'The policies in force, and rules in them that make no sense; for viewers and admins.',
      answer: schemas.policyStatus,
      run(principal) {
        demandViewer(principal);
        const set = parts.current();
        if (status?.of !== set) status = { of: set, shown: statusOf(set, parts.surroundings) };
        return status.shown;
      },
    }),
    route({
      method: 'POST',
      path: '/api/policy/explain',
      summary:
        'What would be decided about a statement of a principal, and why; nothing is run. For viewers and admins.',
      body: schemas.explainBody,
      answer: schemas.policyExplanation,
      async run(principal, { body }) {
        demandViewer(principal);
        const explanation = await parts.explain(body);
        if (!explanation)
          throw new Refused(
            'request.invalid',
            'There is no such target, or it has no such database. See /api/targets.',
          );
        return explanationOf(explanation);
      },
    }),
    route({
      method: 'POST',
      path: '/api/policy/backtest',
      summary: 'What a draft would have changed of the last days; for viewers and admins.',
      body: schemas.backtestBody,
      answer: schemas.backtestReport,
      async run(principal, { body: { days, policies, target, agent } }) {
        demandViewer(principal);
        const files = policies ?? parts.current().files;
        checkDraft(files);
        const wish = { since: parts.now() - days * day, most: mostStatements, target, agent };
        const report = await parts.backtest(files, wish);
        if (!report) throw new Refused('backtest.busy', 'Another backtest is running. Try again in a moment.');
        return report;
      },
    }),
  ];
}

/** Told before any history is read. */
function checkDraft(files: readonly PolicyFile[]): void {
  try {
    loadPolicies(files);
  } catch (error) {
    if (!(error instanceof PolicyErrors)) throw error;
    throw new Refused('policy.invalid', error.message.slice(0, 4_000));
  }
}

function statusOf(set: PolicySet, surroundings: Surroundings): PolicyStatus {
  const texts = (set.shadow ?? set).texts;
  return {
    version: set.version,
    rules: [...set.rules.values()].sort(inPlace).map(({ id, effect, file, line, hold, advice, shadow }) => ({
      id,
      effect,
      file,
      line,
      text: texts[id]!,
      ...(hold ? { hold } : {}),
      ...(advice === undefined ? {} : { advice }),
      ...(shadow ? { shadow } : {}),
    })),
    findings: findingsOf(set, surroundings),
  };
}

/** As the files have them. */
function inPlace(one: Rule, other: Rule): number {
  return one.file === other.file ? one.line - other.line : one.file < other.file ? -1 : 1;
}

function explanationOf({ policy, decision, effects, results, text }: Explanation): PolicyExplanation {
  const { ruling, rules } = decision;
  return {
    policy,
    ruling,
    rules,
    ...(ruling === 'permit' ? {} : { advice: decision.advice }),
    ...(ruling === 'deny' ? { reason: decision.reason, next: decision.next } : {}),
    ...(ruling === 'hold' ? { group: decision.group, quorum: decision.quorum, grade: decision.grade } : {}),
    ...(decision.shadow ? { shadow: { ruling: decision.shadow.ruling, rules: decision.shadow.rules } } : {}),
    effects,
    results,
    ...(text === undefined ? {} : { text }),
  };
}
