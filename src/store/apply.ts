// Operations → rows, one transaction a batch. Plain prepared SQL: this runs once for each statement that passes the gateway.
import { json } from './frozen-json.ts';
import type {
  ApprovalRequested,
  Operation,
  SessionClosed,
  SessionOpened,
  StatementDecided,
  StatementSettled,
  VoteCast,
} from './project.ts';
import { openRetentionRows } from './apply-retention.ts';
import type { Sqlite } from './sqlite.ts';
import { openTextRows } from './text-rows.ts';

/** What a batch touched, for live events. */
export interface Changes {
  /** Sessions that opened or ended. */
  readonly sessions: Set<string>;
  /** Session → its latest statement. */
  readonly statements: Map<string, number>;
  readonly approvals: Set<string>;
}

export interface Progress {
  /** Which log of the chain, from 0. */
  readonly log: number;
  /** Index of the next entry to follow. */
  readonly next: number;
  readonly first?: string;
  readonly last?: string;
}

export interface Writer {
  /** Applies all of it or nothing, and remembers how far the ledger was followed. `log` is the name of the one it stands in. */
  apply(operations: readonly Operation[], progress: Progress, log: string | undefined): Changes;
  progress(): Progress;
  /** Empties every table. */
  clear(): void;
}

/** What a session, or a minute, gained in a batch. */
interface Gains {
  statements: number;
  held: number;
  denied: number;
  maskedCells: number;
}

/** A statement of this batch that is not written yet: most are settled before that, and written once. */
interface Pending {
  readonly statement: StatementDecided;
  readonly text: number;
  outcome: string | null;
}

export function openWriter(db: Sqlite): Writer {
  const texts = openTextRows(db);
  const retention = openRetentionRows(db, texts);
  let changes: Changes;
  let logName: string | undefined;
  let pending = new Map<string, Map<number, Pending>>();
  let sessionGains = new Map<string, Gains>();
  let minuteGains = new Map<number, Gains>();

  const run = (sql: string, ...values: readonly (string | number | null | undefined)[]) =>
    db.prepare(sql).run(...values.map((value) => value ?? null));
  const get = (sql: string, ...values: readonly (string | number)[]) =>
    db.prepare(sql).get(...values) as Record<string, string | number | null> | undefined;

  const insertStatement = db.raw.prepare(
    `INSERT INTO statements (session, sequence, entry, at, kind, text, parameters, ruling, rules, reason, advice, effects, approval, outcome, shadow)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  );
  const settleStatement = db.raw.prepare(
    'UPDATE statements SET outcome = ? WHERE session = ? AND sequence = ? AND outcome IS NULL',
  );

  function forget(): void {
    pending = new Map();
    sessionGains = new Map();
    minuteGains = new Map();
  }

  function gain(session: string, at: number, statements: number, held: number, denied: number, cells: number): void {
    const minute = Math.floor(at / 60_000);
    let ofSession = sessionGains.get(session);
    if (!ofSession) sessionGains.set(session, (ofSession = { statements: 0, held: 0, denied: 0, maskedCells: 0 }));
    let ofMinute = minuteGains.get(minute);
    if (!ofMinute) minuteGains.set(minute, (ofMinute = { statements: 0, held: 0, denied: 0, maskedCells: 0 }));
    for (const gains of [ofSession, ofMinute]) {
      gains.statements += statements;
      gains.held += held;
      gains.denied += denied;
      gains.maskedCells += cells;
    }
  }

  function writeGains(): void {
    for (const [session, of] of sessionGains) {
      run(
        `UPDATE sessions SET statements = statements + ?, held = held + ?, denied = denied + ?, masked_cells = masked_cells + ?
          WHERE id = ?`,
        of.statements,
        of.held,
        of.denied,
        of.maskedCells,
        session,
      );
    }
    for (const [minute, of] of minuteGains) {
      run(
        `INSERT INTO minutes (minute, statements, denials, masked_cells) VALUES (?, ?, ?, ?) ON CONFLICT (minute) DO UPDATE SET
          statements = statements + excluded.statements, denials = denials + excluded.denials, masked_cells = masked_cells + excluded.masked_cells`,
        minute,
        of.statements,
        of.denied,
        of.maskedCells,
      );
    }
  }

  function openSession(of: SessionOpened): void {
    run(
      `INSERT INTO sessions (id, principal, principal_name, principal_kind, issuer, subject, "groups", owner, claimed, protocol, target,
        "database", opened, orphaned, open_entry, key, rule, recorded_bytes, statements, held, denied, masked_cells, log)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, 0, 0, 0, 0, 0, ?) ON CONFLICT DO NOTHING`,
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
      of.rule,
      logName,
    );
    changes.sessions.add(of.id);
  }

  function closeSession(of: SessionClosed): void {
    const [orphaned, unkept] = [of.orphaned ? 1 : 0, of.unkept && JSON.stringify(of.unkept)];
    const set = 'closed = ?, orphaned = ?, cause = ?, seal_entry = ?, recorded_bytes = ?, unkept = ?';
    const values = [of.at, orphaned, of.cause, of.entry, of.recordedBytes, unkept];
    run(`UPDATE sessions SET ${set} WHERE id = ?`, ...values, of.id);
    changes.sessions.add(of.id);
    // A request cannot outlive the connection that waits for it; after a crash nobody else says so.
    const left = db.prepare("SELECT id FROM approvals WHERE session = ? AND state = 'pending'").all(of.id) as {
      id: string;
    }[];
    for (const { id } of left) resolve(id, 'withdrawn', of.at);
  }

  function addStatement(of: StatementDecided): void {
    // Only what was permitted was asked.
    if (of.met !== undefined && of.ruling === 'permit')
      run('UPDATE sessions SET met = ? WHERE id = ?', JSON.stringify(of.met), of.session);
    changes.statements.set(of.session, Math.max(of.sequence, changes.statements.get(of.session) ?? 0));
    if (of.labels) retention.label(of.session, of.labels);
    let ofSession = pending.get(of.session);
    if (!ofSession) pending.set(of.session, (ofSession = new Map()));
    // Texts get their ids in the order of entries, however these fall into batches.
    const decided = { statement: of, text: texts.id(of.text), outcome: null };
    const before = ofSession.get(of.sequence);
    if (before === undefined) {
      ofSession.set(of.sequence, decided);
      return;
    }
    ofSession.delete(of.sequence);
    write(before);
    write(decided);
  }

  function write({ statement: of, text, outcome }: Pending): void {
    const { changes: added } = insertStatement.run(
      of.session,
      of.sequence,
      of.entry,
      of.at,
      of.kind,
      text,
      of.parameters === undefined ? null : JSON.stringify(of.parameters),
      of.ruling,
      json(of.rules),
      of.reason ?? null,
      of.advice ?? null,
      json(of.effects),
      of.approval ?? null,
      outcome,
      of.shadow === undefined ? null : json(of.shadow),
    );
    if (added === 0) {
      // Decided a second time: a hold was answered. The row stays a hold; why it ended otherwise is worth keeping.
      run(
        `UPDATE statements SET reason = coalesce(?, reason), advice = coalesce(?, advice), approval = coalesce(approval, ?),
          outcome = coalesce(outcome, ?) WHERE session = ? AND sequence = ?`,
        of.ruling === 'deny' ? of.reason : undefined,
        of.ruling === 'deny' ? of.advice : undefined,
        of.approval,
        outcome,
        of.session,
        of.sequence,
      );
      return;
    }
    gain(of.session, of.at, 1, of.ruling === 'hold' ? 1 : 0, of.ruling === 'deny' ? 1 : 0, 0);
  }

  function settle({ session, sequence, at, result }: StatementSettled): void {
    changes.statements.set(session, Math.max(sequence, changes.statements.get(session) ?? 0));
    const { shown, maskedCells } = result;
    if (maskedCells > 0)
      retention.label(
        session,
        (shown.masked as { label: string }[]).map(({ label }) => label),
      );
    const outcome = `{"at":${at},${json(shown).slice(1)}`;
    const waiting = pending.get(session)?.get(sequence);
    if (waiting === undefined) {
      if (settleStatement.run(outcome, session, sequence).changes === 0) return;
    } else {
      if (waiting.outcome !== null) return;
      waiting.outcome = outcome;
    }
    if (maskedCells > 0) gain(session, at, 0, 0, 0, maskedCells);
  }

  function writePending(): void {
    for (const ofSession of pending.values()) for (const statement of ofSession.values()) write(statement);
    writeGains();
    retention.writeLabels();
    forget();
  }

  function addApproval(of: ApprovalRequested): void {
    run(
      `INSERT INTO approvals (id, session, sequence, requester, requester_name, target, "database", text, parameters, effects, rules, advice,
        "group", quorum, created, asked, expires, digest, grade, state)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending') ON CONFLICT DO NOTHING`,
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
      of.asked,
      of.expires,
      of.digest,
      of.grade,
    );
    changes.approvals.add(of.id);
  }

  function addVote(of: VoteCast): void {
    run(
      'INSERT INTO votes (approval, voter, voter_name, answer, at, entry, reason, grade) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
      of.approval,
      of.voter,
      of.voterName,
      of.answer,
      of.at,
      of.entry,
      of.reason,
      of.grade,
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
      default:
        // What is shredded may stand in this very batch.
        if (operation.do === 'shred') writePending();
        for (const session of retention.apply(operation)) changes.sessions.add(session);
    }
  }

  function together<T>(work: () => T): T {
    db.raw.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      db.raw.exec('COMMIT');
      return result;
    } catch (cause) {
      forget();
      if (db.raw.isTransaction) db.raw.exec('ROLLBACK');
      // What was remembered of texts may belong to the rows that are gone again.
      texts.read();
      throw cause;
    }
  }

  return {
    apply(operations, progress, log) {
      logName = log;
      changes = { sessions: new Set(), statements: new Map(), approvals: new Set() };
      return together(() => {
        for (const operation of operations) one(operation);
        writePending();
        run(
          'UPDATE progress SET log = ?, next = ?, first_entry = ?, last_entry = ?',
          progress.log,
          progress.next,
          progress.first,
          progress.last,
        );
        return changes;
      });
    },
    progress() {
      const row = get('SELECT log, next, first_entry, last_entry FROM progress WHERE id = ?', 1);
      return {
        log: Number(row?.log ?? 0),
        next: Number(row?.next ?? 0),
        first: (row?.first_entry as string | null) ?? undefined,
        last: (row?.last_entry as string | null) ?? undefined,
      };
    },
    clear() {
      together(() => {
        db.raw.exec("INSERT INTO texts_index (texts_index) VALUES ('delete-all')");
        for (const table of tables) db.raw.exec(`DELETE FROM ${table}`);
        db.raw.exec('UPDATE progress SET log = 0, next = 0, first_entry = NULL, last_entry = NULL');
      });
      texts.read();
    },
  };
}

const tables = 'sessions statements texts approvals votes minutes session_labels process_keys holds'.split(' ');
