// countersign replay <session>: a recorded session played again, over the API.
import { type Command, InvalidArgumentError } from 'commander';
import { takesConfig } from './open-config.ts';
import type { Page, Replay, StatementRow } from '../api/contract.ts';
import { type ApiChoice, type ApiClient, openClient, segment, takesApi } from './api-client.ts';
import { collect, wholeNumber } from './arguments.ts';
import type { AgainChoice } from './replay-again.ts';
import { Exit, examples, type Io, printJson } from './output.ts';
import { play } from './replay.ts';
import { placeOfStatement, placeOfTime, timeOf } from './replay-playback.ts';
import { type Scene, scenesOf } from './replay-scene.ts';
import { playOnScreen } from './replay-screen.ts';

export interface ReplayChoice extends ApiChoice {
  readonly json?: boolean;
  readonly speed: number;
  readonly idleLimit: number;
  readonly from?: number;
  readonly statement?: number;
  readonly wait: boolean;
  readonly rows: number;
}

export function register(program: Command, io: Io): void {
  const replay = takesConfig(takesReplay(program.command('replay <session>')))
    .option('--policy <folder>', 'decide it again under the policies of this folder (exit 1 when something changes)')
    .option('--sandbox', 'run it again on a throw-away database and list what differs (exit 1 when something does)')
    .option('--server <url>', 'server on which that database is made and dropped (default: an embedded one)')
    .option('--schema <file>', 'SQL to load first, such as pg_dump --schema-only; repeatable', collect, [])
    .action(async (id: string, choice: ReplayChoice & AgainChoice) => {
      if (!choice.sandbox && choice.policy === undefined) {
        if (choice.server !== undefined || choice.schema.length > 0)
          throw new Exit(2, '--server and --schema are for --sandbox: add it');
        return run(id, choice, io);
      }
      const { again } = await import('./replay-again.ts');
      return again(id, choice, io);
    });
  examples(replay, [
    [
      'Watch a session: space pauses, arrows step, g goes to a statement or a time, q leaves',
      'countersign replay 4f1c9a…',
    ],
    ['From the twelfth statement on, at four times the pace', 'countersign replay 4f1c9a… --statement 12 --speed 4'],
    ['All of it at once, for a file', 'countersign replay 4f1c9a… --no-wait > replay.txt'],
    ['What other policies would have said, where the data folder is', 'countersign replay 4f1c9a… --policy draft'],
    [
      'Does it still do what it did, on a schema of now',
      'countersign replay 4f1c9a… --sandbox --schema schema.sql --server postgres://admin@127.0.0.1:5433/postgres',
    ],
  ]);
}

/** The options of `replay` and `sessions replay`. */
export function takesReplay(command: Command): Command {
  return takesApi(command)
    .description('play what the client saw; that you did is recorded')
    .option('--speed <factor>', 'how many times faster', positive, 1)
    .option('--idle-limit <seconds>', 'longest pause', positive, 2)
    .option('--from <time>', 'begin there: 90s, 1m30s or 1:30 behind the start', fromTime)
    .option('--statement <n>', 'begin with this statement', wholeNumber)
    .option('--no-wait', 'all at once')
    .option('--rows <n>', 'rows of each result', wholeNumber, 100)
    .option('--json', 'print JSON');
}

export async function run(id: string, choice: ReplayChoice, io: Io): Promise<void> {
  const client = openClient(choice, io);
  const path = `/api/sessions/${segment(id)}`;
  const found = await client.get<Replay>(`${path}/replay`, { limit: choice.rows });
  if (choice.json) return printJson(io, found);
  const keys = choice.wait && io.stdout.isTTY === true ? io.keys : undefined;
  const scenes = scenesOf(found.events, keys ? await statementsOf(client, path) : []);
  const from = beginning(scenes, found.started, choice);
  if (keys)
    return playOnScreen(found, scenes, { speed: choice.speed, idleMs: choice.idleLimit * 1_000, from }, io, keys);
  // A scene is an event where nothing is known of the statements.
  const events = found.events.slice(Math.max(0, from - 1));
  const started = from > 0 ? (events[0]?.at ?? found.started) : found.started;
  const wait = choice.wait && io.stdout.isTTY === true;
  await play({ ...found, started, events }, { speed: choice.speed, idle: choice.idleLimit, wait }, io);
}

function beginning(scenes: readonly Scene[], started: number, { from, statement }: ReplayChoice): number {
  if (statement === undefined) return from === undefined ? 0 : placeOfTime(from, scenes, started);
  const place = placeOfStatement(statement, scenes);
  if (place === undefined) throw new Exit(1, `Statement ${statement} is not in what was recorded.`);
  return place;
}

async function statementsOf(client: ApiClient, path: string): Promise<StatementRow[]> {
  const rows: StatementRow[] = [];
  for (let after: string | number | undefined = 0; after !== undefined; ) {
    const page: Page<StatementRow> = await client.get(`${path}/statements`, { after, limit: 200 });
    rows.push(...page.items);
    after = page.next;
  }
  return rows;
}

function positive(text: string): number {
  const number = Number(text);
  if (!(number > 0) || !Number.isFinite(number)) throw new InvalidArgumentError('Write a number above 0.');
  return number;
}

function fromTime(text: string): number {
  const ms = timeOf(text);
  if (ms === undefined) throw new InvalidArgumentError('Write a time such as 90s, 1m30s or 1:30.');
  return ms;
}
