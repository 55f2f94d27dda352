// A session is read by what its own server process says: when that process is also another's, nothing of it can be believed.
import { expect, test } from 'vitest';
import { message, say } from '../../../test/peers/raw-client.ts';
import { verifies } from '../../../test/requirements.ts';
import type { Permit } from '../../domain/permit.ts';
import { openConversation } from './conversation.ts';
import type { ConversationOptions } from './conversation-state.ts';

const permit: Permit = { granted: true, entry: 1, sequence: 1, masks: [] };
const nothing = () => undefined;

/** Plays a session that sets its search path, so that it is read twice; `own` is the process of the gateway's own connection. */
function ends(first: string, second: string, own: string): string[] {
  const endings: string[] = [];
  const asked: number[] = [];
  const analysis = {
    meaning: { effects: [], results: [] },
    text: '',
    parts: [{ node: 'VariableSetStmt', columns: [], changes: { settings: { search_path: 'other' } } }],
    barrier: true,
    quotesLabelled: false,
    sensitiveParameters: new Set<number>(),
  };
  const conversation = openConversation(
    {
      toClient: nothing,
      toTarget: nothing,
      ask: (question) => void asked.push(question),
      withdraw: nothing,
      settle: nothing,
      record: nothing,
      readCatalogue: nothing,
      checkCatalogue: nothing,
      catalogueChanged: nothing,
      cancelTarget: nothing,
      pauseClient: nothing,
      resumeClient: nothing,
      pauseTarget: nothing,
      resumeTarget: nothing,
      close: ({ fault, cause }) => void endings.push(fault ? `${fault.code}: ${fault.message}` : cause),
    },
    {
      permit,
      analyse: () => analysis,
      preview: () => 'permit',
      catalogue: { relations: new Map(), fired: { domains: new Map() } },
      ownBackend: () => own,
    } as unknown as ConversationOptions,
  );
  const path = (backend: string) => {
    const cells = ['role', 'public', backend].map((cell) => {
      const length = Buffer.alloc(4);
      length.writeInt32BE(cell.length);
      return Buffer.concat([length, Buffer.from(cell)]);
    });
    return Buffer.concat([
      ...['1', '2'].map((type) => message(type)),
      message('D', Buffer.concat([Buffer.from([0, 3]), ...cells])),
      message('C', Buffer.from('SELECT 1\0')),
      ...['3', '3'].map((type) => message(type)),
      message('Z', Buffer.from('I')),
    ]);
  };
  const rule = () => {
    for (const question of asked.splice(0)) conversation.ruled(question, permit);
  };
  conversation.fromTarget(path(first));
  conversation.fromClient(say.query('set search_path = other'));
  rule();
  conversation.fromTarget(Buffer.concat([message('C', Buffer.from('SET\0')), message('Z', Buffer.from('I'))]));
  conversation.fromClient(say.query('set search_path = other'));
  conversation.fromTarget(path(second));
  rule();
  return endings;
}

const apart = expect.stringMatching(/^target\.protocol: The target does not keep sessions apart/);

test(
  verifies('understood-or-refused', 'a session has one server process of its own, from its beginning to its end'),
  () => {
    expect(ends('7', '7', '8')).toEqual([]);
    expect(ends('7', '9', '8')).toEqual([apart]);
    expect(ends('7', '7', '7')).toEqual([apart]);
    expect(ends('7', '8', '8')).toEqual([apart]);
  },
);
