import { deepEqual, equal, notEqual } from 'node:assert/strict';
import { test } from 'node:test';
import { createDecoder } from '../../agent/source/decode.ts';
import { execCapabilities, execEvent, execFlags } from '../../agent/source/layout.ts';
import { CONTEXT } from '../../record/fields/context.ts';
import { createAttributesText } from '../../record/line/attributes.ts';
import {
  bufferWith,
  type CraftedCapabilities,
  type CraftedExec,
  craftExec,
} from '../support/kernel-events.ts';

const SETS = 'vcml.process.capabilities.';
const COMMAND: CraftedExec = { object: '/bin/sh', path: '/bin/sh', cwd: '/', args: 'sh\0-c\0:\0' };
const attributesText = createAttributesText(CONTEXT);

function decode(event: Buffer) {
  return createDecoder(bufferWith(event), 1, undefined, ['A']).decode(0, event.length);
}

/** Returns what a record says of an event's capabilities. */
function written(effective: bigint, capabilities: CraftedCapabilities | undefined) {
  const event = craftExec({
    ...COMMAND,
    u64: [[execEvent.contextCapabilities, effective]],
    ...(capabilities === undefined ? {} : { capabilities }),
    environment: { first: 'A=b\0' },
  });
  const found = decode(event);
  if (found.kind !== 'exec') throw new Error(JSON.stringify(found));
  deepEqual(found.environment?.variables, [{ name: 'A', value: 'b' }]);
  const attributes = JSON.parse(`{${attributesText(found.invocation.context).slice(1)}}`);
  return Object.fromEntries(
    Object.entries(attributes)
      .filter(([key]) => key.startsWith(SETS))
      .map(([key, value]) => [key.slice(SETS.length), value]),
  );
}

const WRITTEN: readonly [
  what: string,
  effective: bigint,
  sets: CraftedCapabilities | undefined,
  written: Record<string, string>,
][] = [
  ['none', 0x3n, undefined, { effective: '0000000000000003' }],
  [
    'all',
    0x3n,
    { permitted: 0x7n, inheritable: 1n << 40n, bounding: 0xfn, ambient: 0x2n },
    {
      effective: '0000000000000003',
      permitted: '0000000000000007',
      inheritable: '0000010000000000',
      bounding: '000000000000000f',
      ambient: '0000000000000002',
    },
  ],
  [
    'only those that are not as expected',
    0x3n,
    { permitted: 0x3n, ambient: 0x1n },
    { effective: '0000000000000003', ambient: '0000000000000001' },
  ],
  [
    'an empty bounding set',
    0n,
    { bounding: 0n },
    { effective: '0000000000000000', bounding: '0000000000000000' },
  ],
  [
    'an empty permitted set beside an effective one, though no kernel has it',
    0x1n,
    {},
    { effective: '0000000000000001', permitted: '0000000000000000' },
  ],
];

for (const [what, effective, sets, expected] of WRITTEN)
  test(`capabilities beside the effective ones: ${what}`, () => {
    deepEqual(written(effective, sets), expected);
  });

test('capabilities are found behind arguments of any length, also of none', () => {
  for (let length = 0; length < 9; length++) {
    const args = 'x'.repeat(length);
    const found = decode(craftExec({ ...COMMAND, args, capabilities: { ambient: 5n } }));
    const sets = found.kind === 'exec' ? found.invocation.context.otherCapabilities : undefined;
    equal(sets?.ambient, '0000000000000005', `${length}`);
  }
});

test('equal capabilities make equal invocations, and others do not', () => {
  const buffer = Buffer.alloc(4096);
  const decoder = createDecoder(buffer, 1, undefined, []);
  const invocationWith = (capabilities: CraftedCapabilities, first = '') => {
    buffer.fill(0);
    const event = craftExec({ ...COMMAND, capabilities, environment: { first } });
    event.copy(buffer);
    const found = decoder.decode(0, event.length);
    if (found.kind !== 'exec') throw new Error(JSON.stringify(found));
    return found.invocation;
  };
  invocationWith({ ambient: 1n });
  const invocation = invocationWith({ ambient: 1n });
  equal(invocation.recurring, true);
  equal(invocationWith({ ambient: 1n }, 'B=c\0'), invocation);
  const others = [{ ambient: 2n }, { inheritable: 1n }, { ambient: 1n, bounding: 0n }];
  for (const other of others) {
    notEqual(invocationWith(other), invocation);
    notEqual(invocationWith(other).context, invocation.context);
  }
});

const SOUND = craftExec({ ...COMMAND, args: 'sh\0', capabilities: { ambient: 1n } });
const WITH_MORE = craftExec({ ...COMMAND, capabilities: {}, environment: { first: 'A=b\0' } });

function changed(event: Buffer, change: (event: Buffer) => void): Buffer {
  const copy = Buffer.from(event);
  change(copy);
  return copy;
}

function resized(bytes: number): Buffer {
  const event = Buffer.alloc(SOUND.length + bytes);
  SOUND.copy(event);
  event.writeUInt32LE(event.length, execEvent.headSize);
  return event;
}

const flagged = (crafted: CraftedExec) =>
  craftExec({ ...crafted, flags: execFlags.execCapabilities });

const UNREADABLE: readonly [what: string, event: Buffer][] = [
  ['not there', flagged(COMMAND)],
  ['cut', resized(-8)],
  ['not at the end', resized(8)],
  ['over the environment', flagged({ ...COMMAND, environment: { first: 'x'.repeat(24) } })],
  [
    'before the environment, and others between',
    changed(WITH_MORE, (event) => {
      const length = event.readUInt16LE(execEvent.argsLength);
      event.writeUInt16LE(length - 8, execEvent.argsLength);
    }),
  ],
  [
    'in the head of the event',
    changed(SOUND.subarray(0, execEvent.bytes), (event) => {
      event.writeUInt32LE(event.length, execEvent.headSize);
      event.fill(0, execEvent.object, execEvent.bytes);
      event.writeUInt16LE(execEvent.bytes - execCapabilities.bytes, execEvent.argsOffset);
    }),
  ],
];

test('an event is readable before its capabilities are damaged', () => {
  for (const event of [SOUND, WITH_MORE]) equal(decode(event).kind, 'exec');
});

for (const [what, event] of UNREADABLE)
  test(`an event is unreadable whose capabilities are ${what}`, () => {
    const found = decode(event);
    equal(found.kind === 'unreadable' && found.why, 'capabilities not behind the arguments');
    equal(found.kind === 'unreadable' && found.seq, 1);
  });
