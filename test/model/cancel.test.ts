// A cancel that reaches the target late must not hit what the gateway reads for itself in the client's session: that ended the session.
import { expect, test } from 'vitest';
import type { Permit } from '../../src/domain/permit.ts';
import { openConversation } from '../../src/protocols/postgres/conversation.ts';
import type { ConversationOptions } from '../../src/protocols/postgres/conversation-state.ts';
import { message, say } from '../peers/raw-client.ts';

const permit: Permit = { granted: true, entry: 1, sequence: 1, masks: [] };
const ready = message('Z', Buffer.from('I'));
/** The answer to the reading of role, search path and process. */
const path = Buffer.concat([
  ...['1', '2'].map((type) => message(type)),
  message('D', Buffer.from('\0\x03\0\0\0\x01r\0\0\0\x06public\0\0\0\x017')),
  message('C', Buffer.from('SELECT 1\0')),
  ...['3', '3'].map((type) => message(type)),
  ready,
]);
const part = { node: 'VariableSetStmt', columns: [], changes: { settings: { search_path: 'other' } } };
const analysis = {
  meaning: { effects: [], results: [] },
  text: '',
  parts: [part],
  barrier: true,
  quotesLabelled: false,
  sensitiveParameters: new Set<number>(),
};

test('no reading of its own begins while a cancel is on its way', () => {
  const toTarget: string[] = [];
  const asked: number[] = [];
  let cancels = 0;
  const nothing = () => undefined;
  const conversation = openConversation(
    {
      toClient: nothing,
      toTarget: (bytes) => void toTarget.push(Buffer.from(bytes).toString('latin1')),
      ask: (question) => void asked.push(question),
      withdraw: nothing,
      settle: nothing,
      record: nothing,
      readCatalogue: nothing,
      checkCatalogue: nothing,
      catalogueChanged: nothing,
      cancelTarget: () => void cancels++,
      pauseClient: nothing,
      resumeClient: nothing,
      pauseTarget: nothing,
      resumeTarget: nothing,
      close: nothing,
    },
    {
      permit,
      analyse: () => analysis,
      preview: () => 'permit',
      catalogue: { relations: new Map(), fired: { domains: new Map() } },
    } as unknown as ConversationOptions,
  );
  const rule = () => {
    for (const question of asked.splice(0)) conversation.ruled(question, permit);
  };
  conversation.fromTarget(path);
  conversation.fromClient(say.query('set search_path = other'));
  rule();
  conversation.cancelled();
  rule();
  expect(cancels).toBe(1);
  conversation.fromTarget(Buffer.concat([message('C', Buffer.from('SET\0')), ready]));
  toTarget.length = 0;
  conversation.fromClient(say.query('select 1'));
  expect(toTarget).toEqual([]);
  conversation.cancelTaken();
  expect(toTarget.join('')).toContain('current_schemas');
  conversation.fromTarget(path);
  rule();
  expect(toTarget.at(-1)).toContain('select 1');
});
