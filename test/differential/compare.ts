// One text, read by us and run by a real server in a transaction that is taken back: what we made of it must be what happened, or we
// must have refused it. The server is heard by its messages, and asked what the transaction wrote (pg_stat_xact_all_tables).
import { changesState, type Effect } from '../../src/domain/effect.ts';
import { Fault } from '../../src/domain/fault.ts';
import type { Analysis, Scope } from '../../src/sql/analysis.ts';
import type { Analyser } from '../../src/sql/analyse.ts';
import { parse } from '../../src/sql/parse.ts';
import { type Message, RawClient, say, type Where } from '../peers/raw-client.ts';

export interface Tally {
  texts: number;
  refused: number;
  statements: number;
  /** Statements that the server ran to their end and that we had read. */
  ran: number;
  readOnly: number;
  wrote: number;
  /** Refused by us, although the server would have run all of it. */
  strict: number;
  disagreements: string[];
}
export const emptyTally = (): Tally => ({
  texts: 0,
  refused: 0,
  statements: 0,
  ran: 0,
  readOnly: 0,
  wrote: 0,
  strict: 0,
  disagreements: [],
});

const patience = 30_000;
const stats = `select relid, schemaname, relname, n_tup_ins, n_tup_upd, n_tup_del from pg_catalog.pg_stat_xact_all_tables
  where n_tup_ins + n_tup_upd + n_tup_del > 0`;

export interface Peer {
  /** Runs one text and adds what is wrong to the tally. */
  compare(text: string, tally: Tally): Promise<void>;
  end(): void;
}

/** `where` names a role without the rights to files, programs and other sessions. */
export async function openPeer(where: Where, analyser: Analyser, scope: Scope): Promise<Peer> {
  const connect = (readOnly: boolean) =>
    RawClient.open({
      ...where,
      parameters: {
        statement_timeout: '3000',
        lock_timeout: '1000',
        ...(readOnly ? { default_transaction_read_only: 'on' } : {}),
      },
    });
  let writer = await connect(false);
  let reader = await connect(true);

  /** The messages that answer each of the texts, all sent at once. A COPY from the client is called off. */
  async function talk(client: RawClient, texts: readonly string[]): Promise<Message[][] | undefined> {
    client.messages.length = 0;
    client.send(Buffer.concat(texts.flatMap((text) => [say.query(text), say.copyFail('not now')])));
    const done = () => client.messages.filter(({ type }) => type === 'Z').length >= texts.length;
    if (!(await client.until(done, patience))) return undefined;
    const answers: Message[][] = [[]];
    for (const message of client.messages) {
      answers.at(-1)!.push(message);
      if (message.type === 'Z') answers.push([]);
    }
    return answers;
  }

  return {
    async compare(text, tally) {
      tally.texts++;
      const wrong = (what: string) => void tally.disagreements.push(`${what}: ${JSON.stringify(text)}`);
      let analysis: Analysis | undefined;
      try {
        analysis = analyser.analyse(text, scope);
      } catch (error) {
        if (!(error instanceof Fault)) return wrong(`not a fault but ${String(error)}`);
      }
      // A NUL ends the text in the message itself: what is behind it would be another message.
      if (text.includes('\0')) {
        if (analysis) wrong('a text with NUL was read');
        tally.refused++;
        return;
      }
      const answers = await talk(writer, ['begin', stats, text, stats, 'rollback', 'discard all']);
      if (!answers) {
        writer.end();
        writer = await connect(false);
        return wrong('the server does not answer');
      }
      const heard = answers[2]!;
      const tags = heard
        .filter(({ type }) => type === 'C')
        .map(({ body }) => body.toString('latin1', 0, body.length - 1));
      const error = heard.find(({ type }) => type === 'E');
      if (!analysis) {
        tally.refused++;
        if (!error && tags.length > 0) tally.strict++;
        return;
      }
      const { parts, meaning } = analysis;
      tally.statements += parts.length;
      tally.ran += tags.length;
      if (error ? tags.length >= Math.max(1, parts.length) : tags.length !== parts.length)
        wrong(`${parts.length} statements read, ${tags.length} run${error ? ' before an error' : ''}`);
      for (const [index, tag] of tags.entries())
        if (!fits(parts[index]?.node ?? '', tag)) wrong(`${parts[index]?.node} read, ${tag} run`);
      slices(text, analysis, wrong);
      const status = heard.at(-1)!.body.toString('latin1');
      const controls = parts.some(({ changes }) => changes.transaction);
      const called = meaning.effects.some(({ action }) => action === 'sql:transaction' || action === 'sql:call');
      if (status === 'I' && !controls && !called) wrong('the transaction is over, and nothing of that was read');
      if (status === 'T' && !controls)
        written(difference(answers[1]!, answers[3]!), meaning.effects, parts.length, tally, wrong);
      if (!changesState(meaning.effects)) {
        tally.readOnly++;
        const answered = await talk(reader, [text, 'rollback', 'discard all']);
        if (!answered) {
          reader.end();
          reader = await connect(true);
          return wrong('the server does not answer');
        }
        const states = answered[0]!.filter(({ type }) => type === 'E').map(({ body }) => stateOf(body));
        if (states.includes('25006')) wrong('read as reading, refused in a transaction that is read only');
      }
    },
    end() {
      writer.end();
      reader.end();
    },
  };
}

const stateOf = (body: Buffer) => /(?:^|\0)C([0-9A-Z]{5})/.exec(body.toString('latin1'))?.[1] ?? '';

/** Each statement's place in the text holds that statement alone. */
function slices(text: string, analysis: Analysis, wrong: (what: string) => void): void {
  const bytes = Buffer.from(text);
  for (const { start, end, kind } of parse(text)) {
    const alone = parse(bytes.subarray(start, end).toString());
    if (alone.length !== 1 || alone[0]!.kind !== kind) wrong(`the place of ${kind} holds ${alone.length} statements`);
  }
  if (parse(text).length !== analysis.parts.length) wrong('parts and statements differ in number');
}

type Row = readonly [schema: string, relation: string, inserted: number, updated: number, deleted: number];

/** The counters are the session's, and some of them are still those of earlier transactions. */
function difference(before: readonly Message[], after: readonly Message[]): readonly Row[] {
  const rows = (answer: readonly Message[]) =>
    answer.filter(({ type }) => type === 'D').map(({ body }) => fields(body));
  const counted = new Map(rows(before).map(([oid, , , ...counts]) => [oid, counts.map(Number)]));
  return rows(after).flatMap(([oid, schema, relation, ...counts]): Row[] => {
    const earlier = counted.get(oid) ?? [];
    const [inserted, updated, deleted] = counts.map((count, index) => Number(count) - (earlier[index] ?? 0));
    return inserted! + updated! + deleted! > 0 ? [[schema!, relation!, inserted!, updated!, deleted!]] : [];
  });
}

/** What was written, by the server's own counters, must have been told. */
function written(
  rows: readonly Row[],
  effects: readonly Effect[],
  count: number,
  tally: Tally,
  wrong: (what: string) => void,
): void {
  if (rows.length === 0) return;
  tally.wrote++;
  if (!changesState(effects)) return wrong(`read as reading (${count} statements), wrote ${rows[0]!.join(' ')}`);
  if (effects.some(({ attributes }) => attributes?.['unreadable'])) return;
  for (const [schema, relation, inserted, updated, deleted] of rows) {
    if (/^(pg_catalog|pg_toast)/.test(schema)) continue;
    const on = (...actions: string[]) =>
      effects.some(({ action, resource }) => actions.includes(action) && resource.relation === relation);
    if (inserted > 0 && !on('sql:insert', 'sql:create', 'sql:maintain', 'sql:alter'))
      wrong(`inserted into ${relation}, untold`);
    if (updated > 0 && !on('sql:update', 'sql:alter')) wrong(`updated ${relation}, untold`);
    if (deleted > 0 && !on('sql:delete')) wrong(`deleted from ${relation}, untold`);
  }
}

function fields(body: Buffer): string[] {
  const found: string[] = [];
  let at = 2;
  for (let left = body.readInt16BE(0); left > 0; left--) {
    const length = body.readInt32BE(at);
    found.push(length < 0 ? '' : body.toString('utf8', at + 4, at + 4 + length));
    at += 4 + Math.max(0, length);
  }
  return found;
}

/** The server's word for what it ran, where a kind has one of its own. */
const tagsOf: Readonly<Record<string, RegExp>> = {
  SelectStmt: /^SELECT/,
  InsertStmt: /^INSERT/,
  UpdateStmt: /^UPDATE/,
  DeleteStmt: /^DELETE/,
  MergeStmt: /^MERGE/,
  TransactionStmt: /^(BEGIN|START|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|PREPARE)/,
  VariableSetStmt: /^(SET|RESET)/,
  VariableShowStmt: /^SHOW/,
  CopyStmt: /^COPY/,
  ExplainStmt: /^EXPLAIN/,
  PrepareStmt: /^PREPARE/,
  DeallocateStmt: /^DEALLOCATE/,
  DeclareCursorStmt: /^DECLARE/,
  FetchStmt: /^(FETCH|MOVE)/,
  ClosePortalStmt: /^CLOSE/,
  DoStmt: /^DO$/,
  CallStmt: /^CALL/,
  TruncateStmt: /^TRUNCATE/,
  LockStmt: /^LOCK/,
  NotifyStmt: /^NOTIFY/,
  ListenStmt: /^LISTEN/,
  UnlistenStmt: /^UNLISTEN/,
  DiscardStmt: /^DISCARD/,
  CreateTableAsStmt: /^(SELECT|CREATE)/,
  VacuumStmt: /^(VACUUM|ANALYZE)/,
  CommentStmt: /^COMMENT/,
  GrantStmt: /^(GRANT|REVOKE)/,
  RefreshMatViewStmt: /^REFRESH/,
  DropStmt: /^DROP/,
};

function fits(node: string, tag: string): boolean {
  const pattern = tagsOf[node];
  if (pattern) return pattern.test(tag);
  if (/^(Create|Index|View|Define|Rule|Composite)/.test(node)) return tag.startsWith('CREATE');
  if (/^(Alter|Rename)/.test(node)) return tag.startsWith('ALTER');
  return node !== '';
}
