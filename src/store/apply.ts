// Operations → rows, one transaction a batch. Plain prepared SQL: this runs once for each statement that passes the gateway.
import { hash } from 'node:crypto';
import type {
  ApprovalRequested,
  Operation,
  SessionClosed,
  SessionOpened,
  StatementDecided,
  StatementSettled,
  VoteCast,
} from './project.ts';
import type { Sqlite } from './sqlite.ts';

/** What a batch touched, for live events. */
export interface Changes {
  /** Sessions that opened or ended. */
  readonly sessions: Set<string>;
  /** Session → its latest statement. */
  readonly statements: Map<string, number>;
  readonly approvals: Set<string>;
}

export interface Progress {
  /** Index of the next entry to follow. */
  readonly next: number;
  readonly first?: string;
  readonly last?: string;
}

export interface Writer {
  /** Applies all of it or nothing, and remembers how far the ledger was followed. */
  apply(operations: readonly Operation[], progress: Progress): Changes;
  progress(): Progress;
  /** Empties every table. */
  clear(): void;
}

const keptTexts = 4_096;
const longestKeptText = 4_096;

export function openWriter(db: Sqlite): Writer {
  const texts = new Map<string, number>();
  let changes: Changes;

  const run = (sql: string, ...values: readonly (string | number | null | undefined)[]) =>
    db.prepare(sql).run(...values.map((value) => value ?? null));
  const get = (sql: string, ...values: readonly (string | number)[]) =>
    db.prepare(sql).get(...values) as Record<string, string | number | null> | undefined;

  /** The same text stands once, however often it ran. */
  function textId(text: string): number {
    const kept = texts.get(text);
    if (kept !== undefined) return kept;
    const digest = hash('sha256', text);
    let id = get('SELECT id FROM texts WHERE hash = ?', digest)?.id as number | undefined;
    if (id === undefined) {
      id = Number(run('INSERT INTO texts (hash, text) VALUES (?, ?)', digest, text).lastInsertRowid);
      run('INSERT INTO texts_index (rowid, text) VALUES (?, ?)', id, text);
    }
    if (text.length <= longestKeptText) {
      if (texts.size >= keptTexts) texts.delete(texts.keys().next().value!);
      texts.set(text, id);
    }
    return id;
  }

  function count(at: number, statements: number, denials: number, maskedCells: number): void {
    run(
      `INSERT INTO minutes (minute, statements, denials, masked_cells) VALUES (?, ?, ?, ?) ON CONFLICT (minute) DO UPDATE SET
        statements = statements + excluded.statements, denials = denials + excluded.denials, masked_cells = masked_cells + excluded.masked_cells`,
      Math.floor(at / 60_000),
      statements,
      denials,
      maskedCells,
    );
  }

  function openSession(of: SessionOpened): void {
    run(
      `INSERT INTO sessions (id, principal, principal_name, principal_kind, issuer, subject, "groups", owner, claimed, protocol, target,
        "database", opened, orphaned, open_entry, key, recorded_bytes, statements, held, denied, masked_cells)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, 0, 0, 0, 0, 0) ON CONFLICT DO NOTHING`,
      of.id,
      of.principal,
      of.name,
      of.kind,
      of.issuer,
      of.subject,
      JSON.stringify(of.groups),
      of.owner,
      JSON.stringify(of.claimed),
      of.protocol,
      of.target,
      of.database,
      of.at,
      of.entry,
      of.key,
    );
    changes.sessions.add(of.id);
  }

  function closeSession(of: SessionClosed): void {
    run(
      'UPDATE sessions SET closed = ?, orphaned = ?, cause = ?, seal_entry = ?, recorded_bytes = ? WHERE id = ?',
      of.at,
      of.orphaned ? 1 : 0,
      of.cause,
      of.entry,
      of.recordedBytes,
      of.id,
    );
    changes.sessions.add(of.id);
    // A request cannot outlive the connection that waits for it; after a crash nobody else says so.
    const left = db.prepare("SELECT id FROM approvals WHERE session = ? AND state = 'pending'").all(of.id) as {
      id: string;
    }[];
    for (const { id } of left) resolve(id, 'withdrawn', of.at);
  }

  function addStatement(of: StatementDecided): void {
    const { changes: added } = run(
      `INSERT INTO statements (session, sequence, entry, at, kind, text, parameters, ruling, rules, reason, advice, effects, approval)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      of.session,
      of.sequence,
      of.entry,
      of.at,
      of.kind,
      textId(of.text),
      of.parameters === undefined ? undefined : JSON.stringify(of.parameters),
      of.ruling,
      JSON.stringify(of.rules),
      of.reason,
      of.advice,
      JSON.stringify(of.effects),
      of.approval,
    );
    changes.statements.set(of.session, Math.max(of.sequence, changes.statements.get(of.session) ?? 0));
    if (added === 0) {
      // Decided a second time: a hold was answered. The row stays a hold; why it ended otherwise is worth keeping.
      run(
        `UPDATE statements SET reason = coalesce(?, reason), advice = coalesce(?, advice), approval = coalesce(approval, ?)
          WHERE session = ? AND sequence = ?`,
        of.ruling === 'deny' ? of.reason : undefined,
        of.ruling === 'deny' ? of.advice : undefined,
        of.approval,
        of.session,
        of.sequence,
      );
      return;
    }
    const held = of.ruling === 'hold' ? 1 : 0;
    const denied = of.ruling === 'deny' ? 1 : 0;
    run(
      'UPDATE sessions SET statements = statements + 1, held = held + ?, denied = denied + ? WHERE id = ?',
      held,
      denied,
      of.session,
    );
    count(of.at, 1, denied, 0);
  }

  function settle(of: StatementSettled): void {
    const { session, sequence, maskedCells, ...outcome } = of;
    const { changes: settled } = run(
      'UPDATE statements SET outcome = ? WHERE session = ? AND sequence = ? AND outcome IS NULL',
      JSON.stringify(outcome),
      session,
      sequence,
    );
    changes.statements.set(session, Math.max(sequence, changes.statements.get(session) ?? 0));
    if (settled === 0 || maskedCells === 0) return;
    run('UPDATE sessions SET masked_cells = masked_cells + ? WHERE id = ?', maskedCells, session);
    count(of.at, 0, 0, maskedCells);
  }

  function addApproval(of: ApprovalRequested): void {
    run(
      `INSERT INTO approvals (id, session, sequence, requester, requester_name, target, "database", text, parameters, effects, rules, advice,
        "group", quorum, created, expires, digest, state)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending') ON CONFLICT DO NOTHING`,
      of.id,
      of.session,
      of.sequence,
      of.requester,
      of.requesterName,
      of.target,
      of.database,
      of.text,
      of.parameters === undefined ? undefined : JSON.stringify(of.parameters),
      JSON.stringify(of.effects),
      JSON.stringify(of.rules),
      of.advice,
      of.group,
      of.quorum,
      of.created,
      of.expires,
      of.digest,
    );
    changes.approvals.add(of.id);
  }

  function addVote(of: VoteCast): void {
    run(
      'INSERT INTO votes (approval, voter, voter_name, answer, at, reason) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
      of.approval,
      of.voter,
      of.voterName,
      of.answer,
      of.at,
      of.reason,
    );
    changes.approvals.add(of.approval);
  }

  function resolve(id: string, state: string, at: number): void {
    run("UPDATE approvals SET state = ?, resolved = ? WHERE id = ? AND state = 'pending'", state, at, id);
    changes.approvals.add(id);
  }

  function one(operation: Operation): void {
    switch (operation.do) {
      case 'open-session':
        return openSession(operation.session);
      case 'close-session':
        return closeSession(operation.session);
      case 'add-statement':
        return addStatement(operation.statement);
      case 'settle-statement':
        return settle(operation.outcome);
      case 'add-approval':
        return addApproval(operation.approval);
      case 'add-vote':
        return addVote(operation.vote);
      case 'resolve-approval':
        return resolve(operation.id, operation.state, operation.at);
    }
  }

  function together<T>(work: () => T): T {
    db.raw.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      db.raw.exec('COMMIT');
      return result;
    } catch (cause) {
      // What was remembered of texts may belong to the rows that are gone again.
      texts.clear();
      if (db.raw.isTransaction) db.raw.exec('ROLLBACK');
      throw cause;
    }
  }

  return {
    apply(operations, progress) {
      changes = { sessions: new Set(), statements: new Map(), approvals: new Set() };
      return together(() => {
        for (const operation of operations) one(operation);
        run(
          'UPDATE progress SET next = ?, first_entry = coalesce(?, first_entry), last_entry = ?',
          progress.next,
          progress.first,
          progress.last,
        );
        return changes;
      });
    },
    progress() {
      const row = get('SELECT next, first_entry, last_entry FROM progress WHERE id = ?', 1);
      return {
        next: Number(row?.next ?? 0),
        first: (row?.first_entry as string | null) ?? undefined,
        last: (row?.last_entry as string | null) ?? undefined,
      };
    },
    clear() {
      texts.clear();
      together(() => {
        db.raw.exec("INSERT INTO texts_index (texts_index) VALUES ('delete-all')");
        for (const table of ['sessions', 'statements', 'texts', 'approvals', 'votes', 'minutes'])
          db.raw.exec(`DELETE FROM ${table}`);
        db.raw.exec('UPDATE progress SET next = 0, first_entry = NULL, last_entry = NULL');
      });
    },
  };
}
