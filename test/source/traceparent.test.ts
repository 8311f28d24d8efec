import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { parseTraceparent } from '../../agent/source/traceparent.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

for (const [text, flags] of [
  [`00-${TRACE}-${SPAN}-01`, 1],
  [`00-${TRACE}-${SPAN}-00`, 0],
  [`00-${TRACE}-${SPAN}-ff`, 255],
  // Of a later version, only one flag is known (W3C Trace Context, 4.3).
  [`01-${TRACE}-${SPAN}-03`, 1],
  [`cc-${TRACE}-${SPAN}-02-what-the-future-will-be-like`, 0],
  [`01-${TRACE}-${SPAN}-01-`, 1],
] as const)
  test(`a trace context is valid: ${text}`, () =>
    deepEqual(parseTraceparent(text), { traceId: TRACE, spanId: SPAN, flags }));

for (const text of [
  '',
  `ff-${TRACE}-${SPAN}-01`,
  `00-${TRACE}-${SPAN}-01-more`,
  `00-${TRACE}-${SPAN}-01-`,
  `00-${TRACE}-${SPAN}-01\n`,
  ` 00-${TRACE}-${SPAN}-01`,
  `01-${TRACE}-${SPAN}-01.more`,
  `00-${TRACE.toUpperCase()}-${SPAN}-01`,
  `00-${TRACE}-${SPAN.toUpperCase()}-01`,
  `0A-${TRACE}-${SPAN}-01`,
  `00-${TRACE}-${SPAN}-0A`,
  `00-${TRACE}-${SPAN}-1`,
  `00-${TRACE}-${SPAN}`,
  `00-${'0'.repeat(32)}-${SPAN}-01`,
  `00-${TRACE}-${'0'.repeat(16)}-01`,
  `00-${TRACE.slice(1)}-${SPAN}-01`,
  `00-${TRACE}0-${SPAN}-01`,
  `00_${TRACE}_${SPAN}_01`,
  `${TRACE}-${SPAN}-01`,
])
  test(`a trace context is not valid: ${JSON.stringify(text)}`, () =>
    equal(parseTraceparent(text), undefined));
