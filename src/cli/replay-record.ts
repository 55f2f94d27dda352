// One recorded session from the ledger's files and keys, as far as it can be decided and run again; a gateway may run beside it.
import type { Json } from '../domain/entry.ts';
import type { KeyOpener } from '../ledger/keyring.ts';
import { openJournalTail } from '../ledger/read-journal.ts';
import { openHistory, type RecordedStatement } from '../policy/history.ts';

export interface PastStatement {
  readonly recorded: RecordedStatement;
  readonly parameters?: readonly (string | null)[];
  /** How it ended up: a hold that was granted is a permit. */
  ruling: string;
  outcome?: PastOutcome;
}

export interface PastOutcome {
  readonly status: string;
  readonly code?: string;
  readonly tag?: string;
  readonly rows: number;
}

export interface PastSession {
  readonly target: string;
  readonly database: string;
  readonly rule: string;
  /** Its end is in the ledger. */
  readonly ended: boolean;
  readonly statements: readonly PastStatement[];
  /** Statements that cannot be read any more. */
  readonly lost: number;
}

/** Undefined when no log has the session. */
export async function readPastSession(
  logs: readonly string[],
  keys: KeyOpener,
  session: string,
): Promise<PastSession | undefined> {
  const history = openHistory();
  const statements = new Map<number, PastStatement>();
  let opened: { target: string; database: string; rule: string } | undefined;
  let ended = false;
  let lost = 0;
  for (const log of logs) {
    for await (const items of openJournalTail(log, keys).blocks(0)) {
      for (const item of items) {
        const { entry, payload } = item;
        if (entry.sid !== session) continue;
        const { t, sq, x } = entry;
        if (t === 'session.open')
          opened = { target: words(x.target), database: words(x.database), rule: words(x.recording) };
        if (t === 'session.seal' || t === 'session.orphaned') ended = true;
        const found = history.take(item as Parameters<typeof history.take>[0]);
        if (t === 'statement.outcome' && sq !== undefined) {
          const past = statements.get(sq);
          if (past) past.outcome = outcomeOf(x);
        } else if (t === 'statement.decision' && sq !== undefined) {
          if (typeof found === 'string') lost++;
          else if (found === undefined) {
            // The ruling that ends a hold.
            const past = statements.get(sq);
            if (past) past.ruling = words(x.d);
          } else {
            const what = payload === undefined || payload === 'shredded' ? {} : (payload['what'] as Fields | undefined);
            const parameters = what?.['parameters'];
            statements.set(sq, {
              recorded: found,
              ruling: words(x.d),
              ...(Array.isArray(parameters) ? { parameters: parameters as readonly (string | null)[] } : {}),
            });
          }
        }
      }
    }
  }
  return opened && { ...opened, ended, statements: [...statements.values()], lost };
}

type Fields = { readonly [key: string]: Json | undefined };

function outcomeOf(x: Fields): PastOutcome {
  return {
    status: words(x['status']),
    rows: typeof x['rows'] === 'number' ? x['rows'] : 0,
    ...(typeof x['code'] === 'string' ? { code: x['code'] } : {}),
    ...(typeof x['tag'] === 'string' ? { tag: x['tag'] } : {}),
  };
}

function words(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
