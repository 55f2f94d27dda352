import { expect, test } from 'vitest';
import { isTraceParent, traceComment } from './trace.ts';

const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

test('the comment at the end names the trace; the text without it is what is left', () => {
  const named = (text: string) => traceComment(text);
  expect(named(`select 1 /*traceparent='${trace}'*/`)).toEqual({ trace, bare: 'select 1 ' });
  expect(named(`select 1/*app='x',traceparent='${trace}',route='%2Fa'*/;`)).toEqual({ trace, bare: 'select 1;' });
  expect(named(`select 1 /*traceparent='${trace}'*/ ;\n`)).toEqual({ trace, bare: 'select 1  ;\n' });
});

test('anything else is no such comment', () => {
  for (const text of [
    '',
    '/',
    '*/',
    'select 1',
    'select 1 /* hello */',
    `select '/*traceparent=''${trace}''*/'`,
    `/*traceparent='${trace}'*/ select 1`,
    `select 1 /*traceparent='${trace}'*/ -- and more`,
    `select 1 /*xtraceparent='${trace}'*/`,
    `select 1 /*traceparent='${trace.toUpperCase()}'*/`,
    `select 1 /*traceparent='${trace.replace('00-', '01-')}'*/`,
    `select 1 /*traceparent='00-${'0'.repeat(32)}-00f067aa0ba902b7-01'*/`,
    `select 1 /*${'x'.repeat(3_000)},traceparent='${trace}'*/`,
  ])
    expect(traceComment(text), text).toBeUndefined();
  expect([isTraceParent(trace), isTraceParent(`${trace}0`), isTraceParent('')]).toEqual([true, false, false]);
});
