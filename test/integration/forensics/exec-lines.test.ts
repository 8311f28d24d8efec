import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import type { Code } from '../../../forensics/audit/codes.ts';
import { loadAudited } from '../../../forensics/audit/load.ts';
import { auditOf } from '../../../forensics/commands/audit.ts';
import { ExecScanner, FOUND } from '../../../forensics/exec-lines/exec-scanner.ts';
import { scanFile } from '../../../forensics/exec-lines/scan-file.ts';
import { Graph } from '../../../forensics/graph.ts';
import { Journals } from '../../../forensics/journals.ts';
import {
  BOOT,
  type Draft,
  exec,
  execId,
  HOOK,
  loss,
  OTHER_BOOT,
  start,
  text,
  time,
} from '../../check/craft.ts';
import { Folder, segment } from '../../support/forensics.ts';
import { createSeeded, type Seeded } from '../../support/scripted/seeded.ts';

const LINES = 2500;
/** More than scanner/parts.c keeps. */
const LONG_ARGUMENT = 15_000;
const LONG_LINES = 1500;
/** As much text as inputs/read/zstd.ts decompresses at once. */
const WHOLE_FRAME = (4 << 20) + (256 << 10);
const LINE_FEED = Buffer.from('\n');
/** Journals with faults, and the execs of each. */
const JUDGED_SEEDS = 40;
const EXECS = 150;
const JUDGED: readonly Code[] = [
  'CML-AUDIT-R1-MISSING_PARENT',
  'CREATED_EARLIER',
  'ID_DUPLICATE',
  'LINK_BOOT',
  'LINK_ORDER',
  'LINK_TIME',
  'SEQ_MISSING',
  'SEQ_REPEATED',
  'SEQ_START',
];
/** Bytes that mean something in JSON or to a reader, and some that are no text. */
const BYTES = [
  '"',
  '\\',
  '{',
  '}',
  '[',
  ',',
  ':',
  ' ',
  '0',
  '1',
  '9',
  'a',
  'Z',
  '-',
  '.',
  '\t',
  '\r',
];
/** What is written for a member's value instead. */
const VALUES = [
  'null',
  '""',
  '"x"',
  '" "',
  '0',
  '-1',
  '007',
  '1.0',
  '1e3',
  'true',
  '[]',
  '{}',
  '"1"',
];
const MORE_VALUES = [
  '["a"]',
  '"\\u0041"',
  '"\\ud800"',
  '"é"',
  '9223372036854775808',
  '99999999999',
];
const TIMES = ['"2026-02-30T00:00:00.000000000Z"', '"2099-01-01T00:00:00.000000000Z"', '"2025"'];

const folder = new Folder();
after(() => folder.close());

/** Opens a journal twice, and returns what both readings made of it. */
async function both<T>(
  path: string | readonly string[],
  read: (journals: Journals) => Promise<T>,
): Promise<[T, T]> {
  const results: T[] = [];
  for (const threadsFrom of [0, Number.POSITIVE_INFINITY]) {
    const journals = await Journals.open([path].flat(), threadsFrom);
    try {
      results.push(await read(journals));
      assert.ok(journals.files.every(({ isOriginal }) => isOriginal));
      await assertInThreads(journals, threadsFrom === 0);
    } finally {
      journals.close();
    }
  }
  return results as [T, T];
}

const tableOf = (table: string) => async (journals: Journals) =>
  (
    await journals.rows(
      `SELECT rowid, COLUMNS(* EXCLUDE file)::VARCHAR FROM ${table} ORDER BY rowid`,
    )
  ).map((row) => row.map(String).join(' '));

/** Proves that a reading used threads: what they left out has a table of its own. */
async function assertInThreads(journals: Journals, isUsed: boolean): Promise<void> {
  const found = await journals.rows(
    `SELECT count(*) FROM duckdb_tables() WHERE table_name = 'other_rows'`,
  );
  assert.equal(Number(found[0]?.[0]), Number(isUsed));
}

function lineOf(n: number, { below }: Seeded): string {
  const pod = {
    'container.id': `${n % 5}`,
    'k8s.pod.uid': 'u',
    'container.image.tags': ['a'],
    ...(n % 2 === 0
      ? { 'k8s.namespace.name': 'a', 'k8s.pod.name': 'b', 'k8s.container.name': 'c' }
      : {}),
  };
  const parent = n % 7 === 0 ? undefined : execId(10 * (n - 1 - below(n)), 100);
  const record = exec(10 * n, 100, n % 4, n, {
    parent,
    'process.creation.time': time(HOOK - 1_237n * BigInt(n)),
    ...(n % 14 === 0 ? { 'vcml.gap.reason': 'untracked' } : {}),
    ...(n % 3 === 0 ? { 'vcml.metadata.state': 'complete' } : {}),
    ...(n % 3 === 1 ? { 'vcml.unit': 'ssh.service' } : {}),
    ...(n % 12 === 1 ? { 'vcml.entry': n % 5 === 0 ? 'start' : 'session' } : {}),
    ...(n % 9 === 0 ? { 'vcml.entry': 'exec', 'vcml.process.args_truncated': true } : {}),
  });
  if (n % 3 === 0) record.resource = { ...record.resource, ...pod };
  return asWritten(record);
}

/** Returns a line in the order of the agent, which writes a gap before the process. */
function asWritten(record: Draft): string {
  const line = text(record);
  const [gap = ''] = /(,"vcml\.gap\.[\w.]+":("[^"]*"|\d+))+/.exec(line) ?? [];
  return line.replace(gap, '').replace(',"process.vpid"', `${gap},"process.vpid"`);
}

function changed(line: string, { below, among }: Seeded): string {
  const at = below(line.length);
  const members = [...line.matchAll(/"[\w.]+":("[^"]*"|\d+|null|\[[^\]]*\])/g)];
  const [member = '', value = ''] = members[below(members.length)] ?? [];
  const name = member.slice(0, member.length - value.length);
  switch (below(8)) {
    case 0:
      return line.slice(0, at) + among(BYTES) + line.slice(at + 1);
    case 1:
      return line.slice(0, at) + line.slice(at + 1);
    case 2:
      return line.slice(0, at) + among(BYTES) + line.slice(at);
    case 3:
      return line.replace(`${member},`, '');
    case 4:
      return line.replace(member, `${member},${member}`);
    case 5:
      return line.replace(member, () => name + among([...VALUES, ...MORE_VALUES, ...TIMES]));
    case 6:
      return line.replace(BOOT, among([OTHER_BOOT, BOOT.toUpperCase(), 'x']));
    default:
      return line;
  }
}

/**
 * Returns lines that DuckDB reads as they are. It does not read some that JavaScript does; a file with
 * such a line is copied and read again.
 */
async function journalOf(seed: number): Promise<string[]> {
  const lines = linesOf(seed);
  const path = folder.write(`all/${seed}/${segment(1)}`, `${lines.join('\n')}\n`);
  const journals = await Journals.open([path], Number.POSITIVE_INFINITY);
  try {
    await loadAudited(journals);
    const rows = await journals.integers('SELECT rowid FROM audited WHERE NOT readable');
    const unread = new Set(rows);
    return lines.filter((line, row) => !unread.has(row) || !isJson(line));
  } finally {
    journals.close();
  }
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

function linesOf(seed: number): string[] {
  const chance = createSeeded(seed);
  const lines = [text(start([1, 1, 1, 1])), text(loss(5, 1, 0, 1, 1))];
  for (let n = 1; n < LINES; n += 1) {
    const line = lineOf(n, chance);
    lines.push(chance.percent(33) ? changed(line, chance) : line);
  }
  return lines;
}

/** Returns the lines of a journal in which links, numbers or the order are wrong here and there. */
function faultyLines(seed: number): string[] {
  const chance = createSeeded(seed);
  const { below, percent } = chance;
  const next = [1, 1, 1];
  const lines = [text(start(next))];
  const ids: string[] = [];
  for (let n = 1; n <= EXECS; n += 1) {
    const cpu = below(next.length);
    const parent = percent(90) ? ids[Math.max(0, ids.length - 1 - below(40))] : undefined;
    const at = 10 * n;
    const created = time(HOOK + BigInt(at));
    const record = exec(at, 100, cpu, next[cpu] ?? 0, { parent, 'process.creation.time': created });
    next[cpu] = (next[cpu] ?? 0) + 1;
    ids.push(record.id as string);
    if (percent(2)) spoil(record, at, chance);
    lines.push(asWritten(record));
    if (percent(1)) lines.push(text(start(next, 'resumed', at + 1)));
    if (percent(2)) misplace(lines, chance);
  }
  return lines;
}

function spoil(record: Draft, at: number, { below }: Seeded): void {
  const { attributes } = record;
  switch (below(7)) {
    case 0:
      record.parent_cause = execId(1, below(1000));
      break;
    case 1:
      record.parent_cause = execId(at + 10 * below(20), 100);
      break;
    case 2:
      record.id = execId(at, 100, OTHER_BOOT);
      attributes['vcml.boot.id'] = OTHER_BOOT;
      break;
    case 3:
      attributes['process.creation.time'] = time(HOOK - 10_000_000n);
      break;
    case 4:
      attributes['vcml.hook.id'] = String(HOOK + 1n);
      break;
    default:
      attributes['vcml.seq'] = Math.max(1, (attributes['vcml.seq'] as number) + below(5) - 2);
  }
  if (record.permitted_by === 'unobserved_parent') record.parent_cause = null;
}

function misplace(lines: string[], { below }: Seeded): void {
  const from = below(lines.length);
  const [line = ''] = lines.splice(from, below(3) === 0 ? 1 : 0);
  const copy = line === '' ? (lines[from] ?? '') : line;
  if (below(3) > 0) lines.splice(below(lines.length), 0, copy);
}

describe('execs that are read in threads', () => {
  test('are judged as those that DuckDB reads, whatever is wrong with them', async () => {
    const codes = new Set<string>();
    let watched = 0;
    for (let seed = 1; seed <= JUDGED_SEEDS; seed += 1) {
      const { below } = createSeeded(seed);
      const lines = faultyLines(seed);
      const [first, second] = [below(lines.length), below(lines.length)].sort((a, b) => a - b);
      const parts = [lines.slice(0, first), lines.slice(first, second), lines.slice(second)];
      const paths = parts.map((part, at) =>
        folder.journal(`judged-${seed}/${below(6) === 0 ? 'b' : 'a'}/${segment(at + 1)}`, part),
      );
      const [threads, duckdb] = await both(paths, async (journals) => {
        const { findings } = await auditOf(journals);
        const made = await journals.rows("FROM duckdb_tables() WHERE table_name = 'other_lines'");
        watched += made.length;
        for (const { code } of findings) codes.add(code);
        return findings;
      });
      assert.deepEqual(threads, duckdb, `seed ${seed}`);
    }
    assert.ok(watched > JUDGED_SEEDS / 4, `${watched} were watched`);
    for (const code of JUDGED) assert.ok(codes.has(code), code);
  });

  for (const seed of [1, 2, 3])
    test(`are audited as those that DuckDB reads: seed ${seed}`, async () => {
      const content = `${(await journalOf(seed)).join('\n')}\n \n{"id":"torn`;
      const plain = folder.write(`${seed}/${segment(1)}`, content);
      const packed = folder.write(
        `${seed}-zst/${segment(1)}.zst`,
        zstdCompressSync(Buffer.from(content)),
      );
      const size = Number.POSITIVE_INFINITY;
      const scanned = await scanFile({
        path: plain,
        size,
        isPlain: true,
        areOrdinary: true,
        isSegment: false,
      });
      const share = (scanned?.otherRows.length ?? 0) / (scanned?.columns.rows ?? 0);
      assert.ok(share > 0.05 && share < 0.5, `${share} of the lines are left to DuckDB`);
      for (const path of [plain, packed]) {
        const [threads, duckdb] = await both(path, async (journals) => {
          await loadAudited(journals);
          return [JSON.stringify(journals.extents), ...(await tableOf('audited')(journals))];
        });
        assert.deepEqual(threads, duckdb);
      }
    });

  test('are right when more different parts have passed than are kept', async () => {
    const chance = createSeeded(6);
    const long = (n: number) => `${n}-`.padEnd(LONG_ARGUMENT, 'x');
    const lines = Array.from({ length: LONG_LINES }, (_, n) =>
      // Every second line repeats what an earlier one had.
      lineOf(n + 1, chance).replace(
        /"process\.command_args":\["[^"]*"/,
        `"process.command_args":["${long(n - (n % 2) * Math.min(n, 7))}"`,
      ),
    );
    assert.ok(lines.every((line) => line.length > LONG_ARGUMENT));
    const content = [text(start([1, 1, 1, 1])), ...lines].join('\n');
    const path = folder.write(`long/${segment(1)}`, `${content}\n`);
    const [threads, duckdb] = await both(path, async (journals) => {
      await loadAudited(journals);
      return tableOf('audited')(journals);
    });
    assert.deepEqual(threads, duckdb);
  });

  test('are read of a frame that fills the buffer for whole frames', async () => {
    const line = `${lineOf(3, createSeeded(5))}\n`;
    const content = line.padEnd(WHOLE_FRAME, '\n');
    const bytes = zstdCompressSync(Buffer.from(content));
    const path = folder.write(`whole/${segment(1)}.zst`, bytes);
    const size = Number.POSITIVE_INFINITY;
    const scanned = await scanFile({
      path,
      size,
      isPlain: false,
      areOrdinary: false,
      isSegment: false,
    });
    assert.equal(scanned?.columns.rows, 1);
  });

  test('are whole: the beginning of one is none, wherever it ends', () => {
    const line = Buffer.from(lineOf(3, createSeeded(5)));
    const scanner = new ExecScanner();
    // Behind the line feed is what could complete the line.
    const read = (length: number) => {
      scanner.begin(false);
      scanner.write(Buffer.concat([line.subarray(0, length), LINE_FEED, line.subarray(length)]));
      return scanner.scan();
    };
    assert.equal(read(line.length), FOUND.needsInput);
    assert.equal(scanner.rows, 1);
    for (let length = 0; length < line.length; length++) {
      assert.equal(read(length), FOUND.otherLine);
      assert.equal(scanner.otherLine.length, length);
    }
  });

  test('have the same links, and their lines are found', async () => {
    const content = `${(await journalOf(4)).join('\n')}\n`;
    const plain = folder.write(`links/${segment(1)}`, content);
    const bytes = zstdCompressSync(Buffer.from(content));
    const packed = folder.write(`links-zst/${segment(1)}.zst`, bytes);
    for (const path of [plain, packed]) {
      const [threads, duckdb] = await both(path, async (journals) => {
        await Graph.load(journals);
        const entries = await Array.fromAsync(journals.entries([0, 7, 1500, 2300]));
        return [...(await tableOf('links')(journals)), ...entries.map(({ text: line }) => line)];
      });
      assert.equal(threads.length, content.split('\n').length - 1 + 4);
      assert.deepEqual(threads, duckdb);
    }
  });
});
