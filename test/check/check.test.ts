import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { segmentName } from '../support/journal/segment-name.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { checkJournal, judge } from './check.ts';
import {
  draft,
  exec,
  execId,
  HOOK,
  lines,
  loss,
  OTHER_BOOT,
  rules,
  sound,
  start,
  stop,
  text,
} from './craft.ts';
import { decodeEscapes, encodeEscapes, isWellEscaped } from './escapes.ts';
import { JournalReader } from './read.ts';
import { uuid5 } from './uuid.ts';

test('a sound journal has no findings, and its summary counts its records', () => {
  const { findings, summary } = judge(lines(Object.values(sound())));
  assert.deepEqual(findings, []);
  assert.deepEqual(summary, {
    lines: 7,
    records: { 'journal.start': 1, exec: 4, 'journal.loss': 1, 'journal.stop': 1 },
    gaps: { predates_hook: 1, lost: 1 },
    losses: { ring_buffer: 3 },
    unresolved: 0,
  });
});

test('a line that is not JSON is a finding', () => {
  assert.deepEqual(rules(checkJournal([...lines(Object.values(sound())), '{"id":'])), ['json']);
});

test('a separator that is not escaped is a finding', () => {
  const { start: first, root } = sound();
  root.attributes['process.command_args'] = ['x', '\u2028'];
  const raw = text(root).replace('\\u2028', '\u2028');
  assert.deepEqual(rules(checkJournal([text(first), raw])), ['raw']);
});

test('a parent of another boot is a finding', () => {
  const { start: first, root } = sound();
  const child = exec(20, 101, 0, 1, { parent: root.id, 'vcml.boot.id': OTHER_BOOT });
  child.id = execId(20, 101, OTHER_BOOT);
  child.attributes['vcml.hook.id'] = '5';
  const second = start([1, 1]);
  second.attributes['vcml.boot.id'] = OTHER_BOOT;
  second.attributes['vcml.hook.id'] = '5';
  second.id = uuid5(OTHER_BOOT, `${second.attributes['vcml.boot_time']}:journal.start:0`);
  assert.deepEqual(rules(checkJournal(lines([first, root, second, child]))), ['boot']);
});

test('a parent from before this journal is unresolved but no finding', () => {
  const child = exec(20, 101, 1, 9, { parent: execId(10, 100) });
  const { findings, summary } = judge(lines([start([3, 9], 'resumed'), child]));
  assert.deepEqual(findings, []);
  assert.equal(summary.unresolved, 1);
});

test('a resumed run continues the numbers of the previous run', () => {
  const { start: first, root } = sound();
  const good = [
    first,
    root,
    start([2, 1], 'resumed', 30),
    exec(40, 101, 0, 2, { parent: root.id }),
  ];
  assert.deepEqual(checkJournal(lines(good)), []);
  const bad = [first, root, start([3, 1], 'resumed', 30)];
  assert.deepEqual(rules(checkJournal(lines(bad))), ['numbers']);
});

test('a journal whose beginning was deleted must say so', () => {
  const front = [exec(20, 101, 0, 9, { parent: execId(10, 100) })];
  assert.deepEqual(rules(checkJournal(lines(front))), ['numbers']);
  const retention = { 'vcml.loss.stage': 'retention' };
  const cut = [...front, loss(30, 4, 0, 1, 8, retention)];
  assert.deepEqual(checkJournal(lines(cut)), []);
  assert.deepEqual(rules(checkJournal(lines(cut), { allowRetention: false })), ['retention']);
  assert.deepEqual(rules(checkJournal(lines([...front, loss(30, 4, 0, 1, 9, retention)]))), [
    'loss',
  ]);
});

test('a deletion of unknown numbers has a hook, and explains where its CPUs begin', () => {
  const front = [exec(20, 101, 0, 9, { parent: execId(10, 100) })];
  const unknown = (more = {}) =>
    draft(30, 'journal.loss', 4, {
      'vcml.loss.stage': 'retention',
      'vcml.loss.hook_id': String(HOOK),
      ...more,
    });
  assert.deepEqual(checkJournal(lines([...front, unknown()])), []);
  assert.deepEqual(rules(checkJournal(lines([...front, unknown({ 'vcml.loss.count': 8 })]))), [
    'loss',
  ]);
});

test('the counts of a run whose beginning was deleted cannot be compared', () => {
  const front = exec(20, 101, 0, 9, { parent: execId(10, 100) });
  const deleted = loss(30, 4, 0, 1, 8, { 'vcml.loss.stage': 'retention' });
  assert.deepEqual(checkJournal(lines([front, deleted, stop(40, 5, 20, 3, 4)])), []);
});

test('escapes are reversible for every byte, and a second spelling is refused', () => {
  const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const escaped = encodeEscapes(all);
  assert.deepEqual(decodeEscapes(escaped), all);
  assert.ok(isWellEscaped(escaped));
  for (const wrong of ['\\', '\\x', '\\x4', '\\n', '\\x41', '\\xc3\\xa9', 'a\\']) {
    assert.ok(!isWellEscaped(wrong), wrong);
  }
  for (const right of [
    '',
    '\\\\',
    '\\\\x41',
    '\\xC3',
    '\\xff\\xfe',
    '\\xed\\xa0\\x80',
    '\u{1f600}',
  ]) {
    assert.ok(isWellEscaped(right), right);
  }
});

test('the reader reads segments in order, prefers compressed ones, and waits for whole lines', (t) => {
  const directory = temporaryFolder(t);
  const segment = (n: number, suffix = '') => join(directory, segmentName(n) + suffix);
  writeFileSync(segment(2), 'c\nd');
  writeFileSync(segment(1), 'wrong\n');
  writeFileSync(segment(1, '.zst'), zstdCompressSync(Buffer.from('a\nb\n')));
  const reader = new JournalReader(directory);
  assert.deepEqual([...reader.lines()], ['a', 'b', 'c']);
  writeFileSync(segment(2), 'c\nd\n\xff\n', 'latin1');
  assert.deepEqual([...reader.lines()], ['d', '(not UTF-8)']);
  assert.deepEqual([...reader.lines()], []);
});

test('the command prints findings and a summary, and its exit code is 1 if there are findings', (t) => {
  const directory = temporaryFolder(t);
  const check = () =>
    execFileSync(process.execPath, [join(import.meta.dirname, 'check.ts'), directory], {
      encoding: 'utf8',
    });
  const file = join(directory, segmentName(1));
  writeFileSync(file, `${lines(Object.values(sound())).join('\n')}\n`);
  assert.match(check(), /0 findings, \{"lines":7/);
  writeFileSync(file, 'no\n');
  assert.throws(check, { status: 1 });
});
