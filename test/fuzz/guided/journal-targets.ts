import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { AgentError } from '../../../agent/errors.ts';
import { readLogRecord } from '../../../agent/export/encode/read-log-record.ts';
import { createScope } from '../../../agent/export/encode/scope.ts';
import { readLines } from '../../../agent/journal/read.ts';
import { cutTornTail } from '../../../agent/journal/torn-tail.ts';
import { createTextWriter } from '../../../agent/print/text.ts';
import { viewOf } from '../../../agent/print/view.ts';
import type { Report } from '../../../agent/run/report.ts';
import { readContinuity } from '../../../agent/run/resume/resume.ts';
import { newRequests, requestOf, VERSION } from '../../export/encode.ts';
import { execLine, hostileLines } from '../../support/journal/lines.ts';
import { readLinesSync } from '../../support/journal/read-lines.ts';
import { segmentName } from '../../support/journal/segment-name.ts';
import type { Target } from './target.ts';

const HOOK = '"vcml.boot.id":"boot","vcml.hook.id":"5"';
const LINES = [
  `{"action":"journal.start","resource":{},"attributes":{${HOOK},"vcml.hook.state":"attached","vcml.hook.next_seq":[1,1]}}`,
  `{"action":"exec","resource":{"container.id":"c","k8s.pod.uid":"p"},"attributes":{${HOOK},"vcml.cpu":0,"vcml.seq":6,"vcml.entry":"start"}}`,
  `{"action":"exec","resource":{},"attributes":{${HOOK},"vcml.cpu":1,"vcml.seq":3,"x":1}}`,
  `{"action":"journal.loss","attributes":{${HOOK},"vcml.loss.stage":"ring_buffer","vcml.loss.hook_id":"5","vcml.loss.cpu":0,"vcml.loss.first_seq":7,"vcml.loss.last_seq":9}}`,
  `{"action":"journal.stop","attributes":{${HOOK},"vcml.hook.state":"detached"}}`,
];
/** A journal of five lines. */
export const JOURNAL = `${LINES.join('\n')}\n`;

/** state.json as an agent leaves it. */
export const STATE = JSON.stringify({
  version: 1,
  updatedAt: '2026-01-31T14:03:07.123Z',
  pid: 7,
  nodeName: 'node-1',
  bootId: 'boot',
  hookId: '5',
  hookState: 'kept',
  detached: false,
  nextSeq: [6, 4],
  losses: [[2, 4]],
  kernelMisses: 3,
  started: ['0:7'],
  records: 9,
  lost: 3,
  gaps: { lost: 1 },
  position: { segment: 1, offset: 0 },
  ring: { bytes: 4096, usedBytes: 12 },
  table: { entries: 5, max: 10 },
});

/** Journals, and what is read out of them; each target has a folder of its own below `dir`. */
export function journalTargets(dir: string): readonly Target[] {
  return [continuity(dir), state(dir), tail(dir), compressed(dir), line()];
}

function continuity(dir: string): Target {
  const { folder, segment } = journalIn(dir, 'continuity');
  return {
    name: 'continuity',
    property: 'any journal gives numbers to continue with, and stays unchanged',
    seeds: [JOURNAL, `${LINES[0]}\n${LINES[2]}\n`, `${LINES[3]}\n${LINES[1]}\n`],
    async check(input) {
      writeFileSync(segment, input);
      await checkNumbers(folder);
      assert.ok(readFileSync(segment).equals(input));
    },
  };
}

function state(dir: string): Target {
  const { folder, segment } = journalIn(dir, 'state');
  const file = join(folder, 'state.json');
  writeFileSync(segment, JOURNAL);
  return {
    name: 'state',
    property: 'any state.json gives numbers to continue with; it stays unchanged or is removed',
    seeds: [STATE, STATE.replace('"offset":0', '"offset":99999')],
    async check(input) {
      writeFileSync(file, input);
      await checkNumbers(folder);
      assert.equal(readFileSync(segment, 'utf8'), JOURNAL);
      assert.ok(!existsSync(file) || readFileSync(file).equals(input));
    },
  };
}

/** A report that is right for a damaged segment: it can be read, and some of its lines cannot. */
export const onlySkipsLines: Report = (event) => {
  assert.ok(event.event === 'journal.segment_unreadable', event.event);
  assert.match(event.error.message, /: \d+ lines are no records, and are skipped$/);
};

/** Only numbers that the next run can count from. */
async function checkNumbers(folder: string): Promise<void> {
  const { nextSeq, losses, kernelMisses, started } = await readContinuity(
    folder,
    { hookId: '5', readSeq: [] },
    onlySkipsLines,
  );
  assert.ok(nextSeq.length <= 65_536);
  for (const next of nextSeq)
    assert.ok(Number.isInteger(next) && next >= 0 && next <= 2 ** 53, `${next}`);
  for (const runs of losses.toJSON())
    for (const seq of runs) assert.ok(Number.isSafeInteger(seq) && seq >= 0, `${seq}`);
  assert.ok(Number.isSafeInteger(kernelMisses) && kernelMisses >= 0, `${kernelMisses}`);
  for (const key of started) assert.equal(typeof key, 'string');
}

function tail(dir: string): Target {
  const { folder, segment } = journalIn(dir, 'tail');
  return {
    name: 'tail',
    property: 'after the cut, all whole lines before the damage remain, and both readers agree',
    seeds: [JOURNAL, `${JOURNAL}{"action":"ex`, `${JOURNAL}\0\0\0\0${JOURNAL}`, '\n'],
    async check(input) {
      writeFileSync(segment, input);
      const file = await open(segment, 'r+');
      const cut = await cutTornTail(file);
      const again = await cutTornTail(file);
      await file.close();
      const left = readFileSync(segment);
      assert.equal(again, 0);
      assert.equal(left.length + cut, input.length);
      assert.ok(left.equals(input.subarray(0, left.length)));
      assert.ok(left.length === 0 || left.at(-1) === 0x0a);
      const hole = input.indexOf(0);
      const sound = hole < 0 ? input : input.subarray(0, hole);
      assert.equal(left.length, sound.lastIndexOf(0x0a) + 1);
      assert.equal((await agreed(folder)).length, left.toString('latin1').split('\n').length - 1);
    },
  };
}

function compressed(dir: string): Target {
  const { folder, segment } = journalIn(dir, 'compressed');
  const file = `${segment}.zst`;
  return {
    name: 'compressed',
    property: 'a compressed segment is lines or SEGMENT_DAMAGED, and stays unchanged',
    seeds: [zstdCompressSync(JOURNAL), zstdCompressSync('x\n'.repeat(9000)), zstdCompressSync('')],
    async check(input) {
      writeFileSync(file, input);
      try {
        await agreed(folder);
      } catch (error) {
        assert.ok(error instanceof AgentError && error.code === 'SEGMENT_DAMAGED', `${error}`);
      }
      assert.ok(readFileSync(file).equals(input));
    },
  };
}

/** What both readers make of a journal. */
async function agreed(folder: string): Promise<readonly string[]> {
  const lines = await Array.fromAsync(readLines(folder));
  assert.deepEqual(readLinesSync(folder), lines);
  return lines.map(({ line }) => line);
}

function line(): Target {
  const requests = newRequests();
  const sound = execLine(3);
  const expected = Buffer.from(requestOf(requests, [sound]));
  return {
    name: 'line',
    property:
      'any line is exported or refused by a SyntaxError, without harm to the next one; ' +
      'printed, it contains nothing that controls a terminal',
    seeds: [...hostileLines(8, 1), sound],
    check(input) {
      const text = input.toString().replaceAll('\n', ' ');
      for (const read of [
        () => requestOf(requests, [text]),
        () => readLogRecord(text, createScope(VERSION)),
      ])
        try {
          read();
        } catch (error) {
          assert.ok(error instanceof SyntaxError, `${error}`);
        }
      assert.ok(Buffer.from(requestOf(requests, [sound])).equals(expected));
      const view = viewOf(text);
      if (view === undefined) return;
      const printed = createTextWriter({ colours: false, userName: String, now: () => 0 })(view);
      assert.doesNotMatch(
        printed.slice(0, -1),
        /[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u,
      );
    },
  };
}

function journalIn(dir: string, name: string): { folder: string; segment: string } {
  const folder = join(dir, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return { folder, segment: join(folder, segmentName(1)) };
}
