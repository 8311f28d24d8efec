import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { EncodedRecords } from '../../agent/export/encode/encoded-records.ts';
import { JournalLogsSerializer } from '../../agent/export/encode/journal-logs-serializer.ts';
import { LogRecordEncoder } from '../../agent/export/encode/log-record-encoder.ts';
import { createScope } from '../../agent/export/encode/scope.ts';
import { Lineage } from '../../agent/lineage/lineage.ts';
import { Losses } from '../../agent/lineage/losses.ts';
import { createDecoder } from '../../agent/source/decode.ts';
import { causeKind, execEvent } from '../../agent/source/layout.ts';
import { LineNotes } from '../../record/index/line-notes.ts';
import { createLineWriter } from '../../record/line/encode.ts';
import type { CausalRecord, ExecEvent } from '../../record/types.ts';
import { BOOT_ID } from '../../test/support/ids.ts';
import { craftExec } from '../../test/support/kernel-events.ts';
import type { Figure } from '../budgets.ts';
import { spreadOf } from '../statistics.ts';
import { spreadText } from '../table.ts';

/** As many as a storm makes between two drains of the ring buffer. */
const EVENTS = 1150;
const CPUS = 2;
const FIRST_SEQ = 100_000;
const HOOK_ID = '81000000000000';
const NOW = { seconds: 81_240, nanos: 0 };
const ROUNDS = 15;
const REPEATS = 20;
/** The first repeats, in which V8 compiles the stage. */
const WARM_UP = 60;
const PROGRAM = '/tmp/vcml-bench-AbCdEf/noop-123456';
const PLACE = {
  resource:
    '{"host.name":"test-node","host.id":"0123456789abcdef0123456789abcdef","os.type":"linux"}',
  cgroup: '0::/user.slice/user-0.slice/session-1.scope',
  attributes: '',
};

/** Measures each stage by itself, with events like those of a storm, in one thread and without I/O. */
export async function measureStages(): Promise<Figure[]> {
  return Object.entries(stages()).map(([name, stage]) => {
    for (let n = 0; n < WARM_UP; n++) stage();
    const micros = spreadOf(Array.from({ length: ROUNDS }, () => costOf(stage)));
    const what = `CPU per record: ${name}`;
    return { what, value: micros.median, unit: 'µs', digits: 2, more: spreadText(micros, 2) };
  });
}

function stages(): Readonly<Record<string, () => unknown>> {
  const { buffer, places } = eventsInRing();
  const decoder = createDecoder(buffer, CPUS, (args) => ({ args, redacted: 0 }));
  const decode = () => places.map(([at, length]) => decoder.decode(at, length) as ExecEvent);
  const events = decode();
  const link = () => recordsOf(events);
  const records = link();
  const lines = Buffer.allocUnsafeSlow(4 << 20);
  const write = () => linesOf(records, lines);
  const ends = write();
  const note = () => noted(records, lines, ends);
  const encoded = new EncodedRecords(createScope('1.0.0'), new LogRecordEncoder());
  const serializer = new JournalLogsSerializer();
  const encode = () => {
    encoded.clear();
    return ends.map((end, n) => encoded.add(lines, ends[n - 1] ?? 0, end - 1));
  };
  const request = Buffer.from(serializer.serializeRequest(encode()));
  const text = lines.subarray(0, ends.at(-1));
  const params = { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 };
  return {
    'an event decoded': decode,
    'its record with id and link': link,
    'its line': write,
    'notes of the line for the index': note,
    'zstd of the line, level 1': () => zstdCompressSync(text, { params }),
    'export: the line as a log record': encode,
    'export: gzip of the log record, level 1': () => gzipSync(request, { level: 1 }),
  };
}

/** CPU time of a record, in microseconds. */
function costOf(stage: () => unknown): number {
  const before = process.cpuUsage();
  for (let n = 0; n < REPEATS; n++) stage();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (REPEATS * EVENTS);
}

function eventsInRing() {
  const places: [at: number, length: number][] = [];
  const buffer = Buffer.from(new ArrayBuffer(1 << 20));
  let at = 0;
  for (let n = 0; n < EVENTS; n++) {
    const event = eventOf(n);
    event.copy(buffer, at);
    places.push([at, event.length]);
    at += Math.ceil(event.length / 8) * 8;
  }
  return { buffer, places };
}

/** One loop of a storm on each CPU, whose cause is the storm's own exec. */
function eventOf(n: number): Buffer {
  const cpu = n % CPUS;
  const kind = causeKind.causeRecord;
  const time = 81_234_567_890_123n + BigInt(n) * 43_000n;
  return craftExec({
    cpu,
    seq: BigInt(FIRST_SEQ + 1 + Math.floor(n / CPUS)),
    bootTime: time,
    startTime: time - 90_000n,
    pid: 100_000 + n,
    ppid: 4200 + cpu,
    vpid: 100_000 + n,
    comm: 'noop-123456',
    cause: { kind, bootTime: 81_000_000_000_007n, pid: 4200, cpu: 0, seq: 1n },
    object: PROGRAM,
    path: PROGRAM,
    cwd: '/srv/vcml-agent',
    args: `${PROGRAM}\0`,
    argsCount: 1,
    argsSize: PROGRAM.length + 1,
    u32: [
      [execEvent.executableMode, 0o100755],
      [execEvent.contextLoginUid, 0xffffffff],
      [execEvent.contextPidNs, 4_026_531_836],
      [execEvent.contextMntNs, 4_026_531_841],
      [execEvent.causeMntNs, 4_026_531_841],
      [execEvent.contextNetNs, 4_026_531_840],
      [execEvent.contextUserNs, 4_026_531_837],
      [execEvent.contextCgroupNs, 4_026_531_835],
    ],
  });
}

function recordsOf(events: readonly ExecEvent[]): CausalRecord[] {
  const lineage = new Lineage({
    bootId: BOOT_ID,
    hookId: HOOK_ID,
    nextSeq: new Float64Array(CPUS).fill(FIRST_SEQ + 1),
    losses: new Losses(),
    quietRange: () => ({ first: 0, last: 0 }),
    ancestor: () => undefined,
  });
  const records: CausalRecord[] = [];
  for (const event of events) lineage.exec(event, NOW, records);
  return records;
}

const writer = createLineWriter({
  bootId: BOOT_ID,
  hookId: HOOK_ID,
  offset: () => ({ seconds: 1_763_918_765, nanos: 555_555_666 }),
  self: { pid: 1, ppid: 0, uid: 0, gid: 0, comm: 'node', executable: '/node' },
});

/** Writes the lines one after the other, and returns where each ends. */
function linesOf(records: readonly CausalRecord[], lines: Buffer): number[] {
  let at = 0;
  return records.map((record) => {
    at = writer.write(record, PLACE, lines, at);
    return at;
  });
}

function noted(records: readonly CausalRecord[], lines: Buffer, ends: readonly number[]) {
  const notes = new LineNotes();
  for (const [n, record] of records.entries())
    notes.add(record, PLACE.resource, lines, ends[n - 1] ?? 0, ends[n] ?? 0);
  return notes;
}
