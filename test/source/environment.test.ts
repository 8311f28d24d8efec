import { deepEqual, equal, notEqual } from 'node:assert/strict';
import { test } from 'node:test';
import { createDecoder } from '../../agent/source/decode.ts';
import { execEnvironment, execEvent } from '../../agent/source/layout.ts';
import {
  bufferWith,
  type CraftedEnvironment,
  type CraftedExec,
  craftExec,
} from '../support/kernel-events.ts';

const NAMES = ['REQUEST', 'LOGIN', 'REQUEST'];
/** Long enough for a hash of the event that is computed in parts. */
const COMMAND: CraftedExec = { object: '/bin/sh', path: '/bin/sh', cwd: '/', args: 'sh\0-c\0:\0' };

function environmentOf(environment: CraftedEnvironment | undefined, names = NAMES) {
  const event = craftExec({
    ...COMMAND,
    ...(environment === undefined ? {} : { environment }),
  });
  const found = createDecoder(bufferWith(event), 1, undefined, names).decode(0, event.length);
  if (found.kind !== 'exec') throw new Error(JSON.stringify(found));
  return found.environment;
}

function variable(name: string, value: string) {
  return { name, value };
}

/** Parts of an environment, and what is kept of them as `NAME=value`. */
const WHOLE: readonly [what: string, environment: CraftedEnvironment, kept: readonly string[]][] = [
  ['empty', { first: '' }, []],
  ['with no variable that is asked for', { first: 'PATH=/bin\0HOME=/\0' }, []],
  ['with others around', { first: 'PATH=/bin\0REQUEST=7\0HOME=/\0' }, ['REQUEST=7']],
  ['in its own order', { first: 'LOGIN=a\0REQUEST=b\0' }, ['LOGIN=a', 'REQUEST=b']],
  ['with a double', { first: 'REQUEST=a\0REQUEST=b\0' }, ['REQUEST=a', 'REQUEST=b']],
  ['with an empty value', { first: 'REQUEST=\0' }, ['REQUEST=']],
  ['with = in a value', { first: 'REQUEST==a=b\0' }, ['REQUEST==a=b']],
  ['with empty strings', { first: '\0\0REQUEST=a\0\0' }, ['REQUEST=a']],
  ['with strings without =', { first: 'REQUEST\0LOGIN=a\0' }, ['LOGIN=a']],
  ['with names that only begin like it', { first: 'REQUESTS=a\0XREQUEST=b\0REQUES=c\0' }, []],
  ['with the name in a value', { first: 'A=REQUEST=a\0B=\nREQUEST=a\0' }, []],
  ['with a variable across both parts', { first: 'A=b\0REQU', last: 'EST=a\0' }, ['REQUEST=a']],
  [
    'with its parts between two strings',
    { first: 'REQUEST=a\0', last: 'LOGIN=b\0' },
    ['REQUEST=a', 'LOGIN=b'],
  ],
  ['without a NUL at its end', { first: 'LOGIN=b\0REQUEST=a' }, ['LOGIN=b']],
  [
    'with bytes that are no text',
    { first: Buffer.from('REQUEST=\xff\\\0', 'latin1') },
    ['REQUEST=\\xff\\\\'],
  ],
];

for (const [what, environment, kept] of WHOLE)
  test(`an environment ${what}`, () => {
    const variables = environmentOf(environment)?.variables;
    deepEqual(
      variables?.map(({ name, value }) => `${name}=${value}`),
      kept,
    );
    equal(environmentOf(environment)?.isCut, false);
  });

const CUT: readonly [what: string, environment: CraftedEnvironment, kept: readonly string[]][] = [
  ['nothing of it was read', { first: '', size: 1 }, []],
  [
    'a string is cut at the seam',
    { first: 'LOGIN=a\0REQUEST=b', last: 'c\0LOGIN=d\0' },
    ['LOGIN=a', 'LOGIN=d'],
  ],
  ['the end of a string looks like a variable', { first: 'A=', last: 'REQUEST=a\0' }, []],
  ['it does so behind a whole string', { first: 'A=b\0', last: 'REQUEST=a\0' }, []],
  ['the last part has no whole string', { first: 'REQUEST=a\0', last: 'LOGIN=a' }, ['REQUEST=a']],
  [
    'the end of the last part is missing',
    { first: '', last: 'x\0REQUEST=a\0LOGIN=b' },
    ['REQUEST=a'],
  ],
  ['the last part is missing', { first: 'REQUEST=a\0LOGIN=b' }, ['REQUEST=a']],
];

for (const [what, environment, kept] of CUT)
  test(`an environment is cut: ${what}`, () => {
    const found = environmentOf({ size: 5000, ...environment });
    deepEqual(
      found?.variables.map(({ name, value }) => `${name}=${value}`),
      kept,
    );
    equal(found?.isCut, true);
  });

test('strings end with the event, whatever is behind it in the buffer', () => {
  const event = craftExec({ ...COMMAND, environment: { first: 'REQUEST=a', size: 99 } });
  const buffer = bufferWith(event);
  buffer.write('b\0REQUEST=c\0', event.length);
  const found = createDecoder(buffer, 1, undefined, NAMES).decode(0, event.length);
  deepEqual(found.kind === 'exec' && found.environment, { variables: [], isCut: true });
});

test('an exec has no environment if it has none in its event, or if no names are asked for', () => {
  equal(environmentOf(undefined), undefined);
  equal(environmentOf({ first: 'REQUEST=a\0' }, []), undefined);
  deepEqual(environmentOf({ first: '' }), { variables: [], isCut: false });
});

for (const [what, padding] of [
  ['in whole words', 'xx'],
  ['with a rest', 'x'],
] as const)
  test(`an environment is no part of the invocation, ${what}`, () => {
    const command = { ...COMMAND, args: `sh\0${padding}\0` };
    const environments = [
      undefined,
      { first: 'REQUEST=a\0' },
      { first: 'REQUEST=another\0' },
      { first: 'A=b\0', last: 'LOGIN=b\0', size: 5000 },
    ];
    const buffer = Buffer.alloc(4096);
    const decoder = createDecoder(buffer, 1, undefined, NAMES);
    const invocationWith = (environment: CraftedEnvironment | undefined) => {
      buffer.fill(0);
      const event = craftExec({
        ...command,
        ...(environment === undefined ? {} : { environment }),
      });
      event.copy(buffer);
      const found = decoder.decode(0, event.length);
      if (found.kind !== 'exec') throw new Error(JSON.stringify(found));
      return found;
    };
    invocationWith(undefined);
    const { invocation } = invocationWith({ first: 'LOGIN=x\0' });
    equal(invocation.recurring, true);
    for (const environment of environments)
      equal(invocationWith(environment).invocation, invocation);
    deepEqual(invocationWith(environments[1]).environment?.variables, [variable('REQUEST', 'a')]);
    deepEqual(invocationWith(environments[3]).environment?.variables, []);
    command.args = `sh\0${padding.replace('x', 'y')}\0`;
    notEqual(invocationWith(environments[1]).invocation, invocation);
  });

const SOUND = craftExec({ ...COMMAND, environment: { first: 'A=b\0', last: 'C=d\0' } });
const AT = SOUND.length - execEnvironment.bytes - 8;

function placed(offset: number, length: number): Buffer {
  const event = Buffer.from(SOUND);
  event.writeUInt16LE(offset, execEvent.environmentOffset);
  event.writeUInt16LE(length, execEvent.environmentLength);
  return event;
}

function changed(at: number, value: number): Buffer {
  const event = Buffer.from(SOUND);
  event.writeUInt32LE(value, at);
  return event;
}

const UNREADABLE: readonly [what: string, event: Buffer][] = [
  ['in the head of the event', placed(execEvent.environment, SOUND.length - execEvent.environment)],
  ['that ends before the event', placed(AT, SOUND.length - AT - 1)],
  ['that ends behind it', placed(AT, SOUND.length - AT + 1)],
  ['over the arguments', placed(AT - 4, SOUND.length - AT + 4)],
  ['at an odd place', placed(AT + 1, SOUND.length - AT - 1)],
  ['without its own head', placed(SOUND.length - 4, 4)],
  ['with more bytes than there were', changed(AT + execEnvironment.size, 7)],
  ['with a first part beyond its end', changed(AT + execEnvironment.first, 9)],
];

test('an event is readable before it is damaged', () => {
  const found = createDecoder(bufferWith(SOUND), 1, undefined, ['C']).decode(0, SOUND.length);
  deepEqual(found.kind === 'exec' && found.environment?.variables, [variable('C', 'd')]);
});

for (const [what, event] of UNREADABLE)
  test(`an event is unreadable that has an environment ${what}`, () => {
    const found = createDecoder(bufferWith(event), 1, undefined, NAMES).decode(0, event.length);
    equal(found.kind, 'unreadable');
    equal(found.kind === 'unreadable' && found.seq, 1);
  });
