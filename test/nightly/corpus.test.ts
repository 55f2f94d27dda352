// What is kept stays as it is: every kind of message is there and is read, and what once broke something does so no more.
import { expect, test } from 'vitest';
import { verifies } from '../requirements.ts';
import { kept } from './corpus.ts';
import { played, readSteps, writeSteps } from './dialogue.ts';
import { codecAttempt, codecReplay, dialogueAttempt } from './inputs.ts';
import { forms, type Side } from './messages.ts';

const kindOf = (name: string) => name.split('-')[0]!;

test.each(['client', 'target', 'start'] as const)('%s: there is a valid message of every kind', (side: Side) => {
  const messages = kept(side);
  expect([...new Set(messages.map(({ name }) => kindOf(name)))].toSorted()).toEqual(
    Object.keys(forms[side]).toSorted(),
  );
  for (const { name, bytes } of messages) {
    expect(codecReplay(bytes), name).toBeUndefined();
    const read = forms[side][kindOf(name)]!.map((form) => {
      try {
        return form.decode(bytes, 0, bytes.length) !== null;
      } catch {
        return false;
      }
    });
    expect(read.length === 0 || read.includes(true), `${name} is valid`).toBe(true);
  }
});

test(verifies('understood-or-refused', 'the kept dialogues, and every one of them cut short'), () => {
  for (const { name, bytes } of kept('dialogues')) {
    const steps = readSteps(bytes);
    expect(writeSteps(steps).equals(bytes), name).toBe(true);
    for (let length = 0; length <= steps.length; length++)
      expect(played(steps.slice(0, length)), `${name}, ${length} steps`).toBeUndefined();
  }
});

test.each(kept('found').map(({ name, bytes }) => [name, bytes] as const))('found: %s', (name, bytes) => {
  if (name.startsWith('codec-')) expect(codecReplay(bytes)).toBeUndefined();
  else if (name.startsWith('dialogue-')) expect(played(readSteps(bytes))).toBeUndefined();
  else if (!name.startsWith('sql-')) expect.fail('a kept input is named codec-…, dialogue-… or sql-…');
});

test('a little of what runs every night', () => {
  for (let index = 0; index < 1_000; index++) {
    for (const make of [codecAttempt, dialogueAttempt]) {
      const attempt = make(20_260_101, index);
      expect(attempt.run(), `${make.name} ${index}: ${attempt.bytes.toString('base64')}`).toBeUndefined();
    }
  }
});
