import { describe, expect, test } from 'vitest';
import { verifies } from '../../test/requirements.ts';
import type { Mask } from '../domain/mask.ts';
import { openCopyMasks } from './copy.ts';
import { compileMask } from './method.ts';
import { keyless, looksMasked } from './written-back.ts';

const key = Buffer.from('key');
const mask: Mask = { label: 'text.free', method: 'detect', whole: false };
const [text, json, jsonb, xml] = [25, 114, 3802, 142];
const shown = (type: number, value: string, format: 0 | 1 = 0) => {
  const version = type === jsonb && format === 1 ? Buffer.from([1]) : Buffer.alloc(0);
  const made = compileMask(mask, type, format, key)(Buffer.concat([version, Buffer.from(value)]));
  expect(made?.subarray(0, version.length)).toEqual(version);
  return made?.subarray(version.length).toString();
};
const planted = ['ada@example.org', '4111 1111 1111 1111', 'DE89370400440532013000', '536-90-9148', '+436601234567'];

describe('detect', () => {
  test.each([
    [text, 'call ada@example.org, card 4111111111111111', 'call [masked:email], card [masked:card]'],
    [text, 'nothing to see', 'nothing to see'],
    [json, '{"m": "ada@example.org", "n": 1}', '{"m": "[masked:email]", "n": 1}'],
    [json, '{"m": "ada\\u0040example.org"}', '{"m": "[masked:email]"}'],
    [json, '{"m": "x\\"y ada@example.org"}', '{"m": "x\\"y [masked:email]"}'],
    [json, '{"ada@example.org": 4111111111111111}', '{"[masked:email]": "[masked:card]"}'],
    [json, '[1.5e3, -2, "\\n", "plain", true]', '[1.5e3, -2, "\\n", "plain", true]'],
    [json, '{"m": "ada@example.org', '"****"'],
    [jsonb, '{"m": ["ada@example.org"]}', '{"m": ["[masked:email]"]}'],
    [xml, '<a b="ada@example.org">4111111111111111</a>', '<a b="[masked:email]">[masked:card]</a>'],
    [xml, '<a>ada&#64;example.org</a>', '<masked/>'],
    [xml, '<a>-----BEGIN PRIVATE KEY-----</a>', '<masked/>'],
  ])('%i %s', (type, value, expected) => {
    expect(shown(type, value)).toBe(expected);
    expect(shown(type, value, 1)).toBe(expected);
  });

  test(verifies('masked-or-withheld', 'what cannot be looked through is hidden whole, by detect too'), () => {
    const hide = compileMask(mask, text, 0, key);
    expect(hide(Buffer.from([0x61, 0xff, 0x62]))?.toString()).toBe('****');
    expect(hide(Buffer.alloc((1 << 20) + 1, 'a'))?.toString()).toBe('****');
    for (const type of [23, 17, 2950, 869, 999_999, undefined])
      expect(compileMask(mask, type, 0, key)(Buffer.from('1'))).toBeNull();
    expect(compileMask({ ...mask, whole: true }, text, 0, key)(Buffer.from('plain'))?.toString()).toBe('***');
    expect(compileMask({ ...mask, whole: true }, json, 0, key)(Buffer.from('{}'))).toBeNull();
  });

  test(
    verifies('masked-or-withheld', 'wherever a value stands in a text, however the text arrives, it does not leave'),
    () => {
      const rest = 'Grüße: "x"\\ <y> {z}, '.repeat(3);
      for (const value of planted)
        for (let at = 0; at <= rest.length; at += 3) {
          const whole = `${rest.slice(0, at)} ${value} ${rest.slice(at)}`;
          expect(shown(text, whole)).not.toContain(value);
          expect(shown(json, JSON.stringify({ a: [whole] }))).not.toContain(value);
          expect(compileMask(mask, 1009, 0, key)(Buffer.from(`{${JSON.stringify(whole)}}`))?.toString()).not.toContain(
            value,
          );
        }
    },
  );

  test('COPY in every format, its bytes split anywhere', () => {
    const form = { delimiter: '\t', nullText: '\\N', quote: '"', escape: '"', header: false } as const;
    const line = `1\tsee ${planted[0]} and ${planted[1]}\n`;
    for (let split = 0; split <= line.length; split++) {
      const masks = openCopyMasks(
        { ...form, format: 'text' },
        [
          { mask: null, type: undefined },
          { mask, type: text },
        ],
        key,
      );
      const made = [Buffer.from(line.slice(0, split)), Buffer.from(line.slice(split))].map((part) => masks.push(part));
      expect(Buffer.concat([...made, masks.end()]).toString()).toBe('1\tsee [masked:email] and [masked:card]\n');
    }
  });

  test('what it makes is not written back', () => {
    const long = `${'x'.repeat(1_000)} [masked:email]`;
    for (const value of ['[masked:email]', `see [masked:card] there`, long, `{"a": "[masked:secret]"}`]) {
      expect(looksMasked(value)).toBe(true);
      for (const format of [0, 1] as const)
        expect(keyless.value(Buffer.from(value), format, text, { meets: true })).toBe('mask');
    }
    expect(looksMasked('[masked] [masked:x] masked:email')).toBe(false);
  });
});
