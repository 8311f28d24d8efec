/**
 * The process under test: a run of the agent over a scripted kernel, until everything that the
 * kernel has is recorded and exported: life.ts FOLDER SCENARIO BOOT. The folder has the journal, the
 * kernel's memory, which outlives a kill, and what a collector has received.
 */

import './hurry.ts';
import fs, { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import module from 'node:module';
import { join } from 'node:path';
import { schema } from '../../../../agent/config/schema.ts';
import { GrpcTransport } from '../../../../agent/export/connect/grpc-transport.ts';
import { readCursor } from '../../../../agent/export/read/cursor.ts';
import { listSegmentsSync, segmentBytesSync } from '../../../../agent/journal/segment.ts';
import { run } from '../../../../agent/run/run.ts';
import { createAddon, emptyMemory, type KernelMemory } from '../../../support/scripted/kernel.ts';
import { armedAt, bootIdOf, CPUS, execsOf, SCENARIOS } from '../scenarios.ts';
import { answerTo } from './receiver.ts';

const [folder = '', name = '', number = '0'] = process.argv.slice(2);
const boot = Number(number);
const scenario = SCENARIOS.find((one) => one.name === name);
if (scenario === undefined) throw new Error(`there is no scenario ${name}`);

const MEMORY_BYTES = 512;
const WALL_OFFSET_NS = 1_795_000_000_000_000_000n;
/** No two runs of an agent begin at the same time. */
const LIFE_NS = 1000n;
/** On the clock of this process, which runs faster. */
const PATIENCE_MS = 200_000;
const WALL_STEP_NS = 3_600_000_000_000n;
/** The log's lines for a terminal need no library. */
process.stderr.isTTY = true;
process.env.NO_COLOR = '1';

const journalDir = join(folder, 'journal');
const execs = execsOf(scenario, boot);
const memory = readMemory();
const stop = new AbortController();
let wake = () => {};

/** Every change of the kernel's memory is one call, before which the process can be killed. */
function writeMemory(): void {
  const { armedAt, ...rest } = memory;
  const text = JSON.stringify({ armedAt: `${armedAt}`, ...rest });
  const fd = openSync(join(folder, 'kernel'), 'r+');
  writeSync(fd, `${text}\n`.padEnd(MEMORY_BYTES), 0);
  closeSync(fd);
}

function readMemory(): KernelMemory {
  const text = readFileSync(join(folder, 'kernel'), 'utf8').trim();
  if (text === '') return emptyMemory(CPUS);
  const { armedAt, ...rest } = JSON.parse(text);
  return { armedAt: BigInt(armedAt), ...rest };
}

function bootTimeNow(): bigint {
  const last = execs[memory.happened - 1]?.bootTime;
  if (last === undefined) return armedAt(boot);
  return last + 1_000_001n + BigInt(memory.lives) * LIFE_NS;
}

/** Nothing more will happen: the collector gets the rest, unless that takes too long. */
function stopOnceExported(deadline: number): void {
  const newest = listSegmentsSync(journalDir).at(-1);
  const end = newest && { segment: newest.number, offset: segmentBytesSync(journalDir, newest) };
  const isExported = JSON.stringify(readCursor(journalDir)) === JSON.stringify(end);
  if (isExported || performance.now() > deadline) stop.abort('SIGTERM');
  else setTimeout(() => stopOnceExported(deadline), 200);
}

const addon = createAddon({
  memory,
  execs,
  now() {
    // Somebody sets the clock in the middle, and sets it back.
    const steps = memory.happened % 40 > 20 ? WALL_STEP_NS : 0n;
    return { boot: bootTimeNow(), wall: bootTimeNow() + WALL_OFFSET_NS + steps };
  },
  beforeLook() {
    if (memory.armedAt === 0n || memory.happened >= execs.length) return;
    memory.happened = Math.min(execs.length, memory.happened + 1 + ((memory.happened * 7) % 6));
    writeMemory();
  },
  changed: writeMemory,
  sleeps(waker) {
    wake = waker;
    if (memory.happened < execs.length) setTimeout(() => wake(), 10);
    else stopOnceExported(performance.now() + PATIENCE_MS);
  },
});

const createRequire = module.createRequire;
module.createRequire = (from) =>
  Object.assign((path: string) => (path.endsWith('.node') ? addon : createRequire(from)(path)), {
    ...createRequire(from),
  });

const readFile = fs.readFileSync;
fs.readFileSync = ((path: string, ...more: never[]) =>
  path === '/proc/sys/kernel/random/boot_id'
    ? `${bootIdOf(boot)}\n`
    : readFile(path, ...more)) as typeof readFile;

const received = openSync(join(folder, 'received'), 'a');
/** Another request fails in each life, or the end of none would reach the collector. */
let call = memory.lives;
GrpcTransport.prototype.send = async (request) => {
  const { takes, answer } = answerTo(request, call++);
  // One call, so that a collector has a request as a whole or not at all.
  if (takes) writeSync(received, Buffer.concat([lengthOf(request), request]));
  return answer;
};

function lengthOf(request: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(request.length);
  return length;
}

const config = {
  ...schema.parse({
    journalDir,
    print: 'none',
    // Chance may look like a secret.
    arguments: 'full',
    nodeName: 'scripted',
    exportEndpoint: 'http://127.0.0.1:1',
    exportBatchRecords: 7,
    exportCatchUpRate: 0,
    drainInterval: '100ms',
  }),
  ...scenario.options,
};
run(config, stop.signal).then((code) => {
  process.exitCode = code;
});
