import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { NO_CLICKHOUSE } from '../../../support/clickhouse/clickhouse.ts';
import { startStore } from '../../../support/clickhouse/stored.ts';
import { Folder, vcml } from '../../../support/forensics.ts';
import { execLine, execLines, idIn, journalLine } from '../../../support/journal/lines.ts';

const options = { skip: NO_CLICKHOUSE };

test('a selection from a store is that from files', options, async (t) => {
  const store = await startStore(t);
  const lines = [
    journalLine('journal.start', 900_000, ',"vcml.hook.state":"attached"'),
    ...execLines(0, 100),
    execLine(100, { object: '/tmp/x' }),
  ];
  await store.insert(lines);
  const folder = new Folder();
  t.after(() => folder.close());
  const file = folder.journal('node.jsonl', lines);
  for (const selection of [
    ['--exe', '/tmp/x'],
    ['--exe', '*/p1?'],
    ['--arg', '17'],
    ['--node', '/^node/', '--gap'],
    ['--action', 'journal.start'],
    ['--user', '1'],
    ['--exe', '*/p1?', '--sql', 'SELECT count(*) AS n FROM records'],
  ]) {
    const args = ['--output', 'jsonl', '--since', '2001-01-01', ...selection];
    const expected = await vcml('query', ...args, file);
    const found = await vcml('query', ...args, store.address);
    equal(found.stdout, expected.stdout, found.stderr);
    equal(found.code, expected.code);
  }
});

test('a pattern selects what was cut, and a name does not', options, async (t) => {
  const store = await startStore(t);
  const cut = execLine(101, { more: ',"vcml.executable.path_truncated":true' });
  const lines = [...execLines(0, 100), cut];
  await store.insert(lines);
  const folder = new Folder();
  t.after(() => folder.close());
  const file = folder.journal('node.jsonl', lines);
  for (const [exe, expected] of [
    ['/tmp/**', [cut]],
    ['/evil/', [cut]],
    ['/tmp/evil', []],
  ] as const)
    for (const input of [file, store.address]) {
      const args = ['--output', 'jsonl', '--since', '2001-01-01', '--exe', exe];
      const { stdout } = await vcml('query', ...args, input);
      deepEqual(stdout.split('\n').slice(0, -1).map(idIn), expected.map(idIn));
    }
});

test('a name selects what the caller called so, as well', options, async (t) => {
  const store = await startStore(t);
  const script = execLine(101, { object: '/opt/run.sh', executable: '/bin/bash' });
  const cut = execLine(102, {
    object: '/very/long',
    executable: '/bin/bash',
    more: ',"vcml.object.truncated":true',
  });
  const stop = journalLine('journal.stop', 900_000, '');
  const lines = [...execLines(0, 20), script, cut, stop];
  await store.insert(lines);
  const folder = new Folder();
  t.after(() => folder.close());
  const file = folder.journal('node.jsonl', lines);
  for (const [exe, expected] of [
    ['run.sh', [script, cut]],
    ['/opt/run.sh', [script]],
    ['run.*', [script, cut]],
    ['/^run/', [script, cut]],
    ['un.sh', [cut]],
    ['/run.sh', []],
  ] as const)
    for (const input of [file, store.address]) {
      const args = ['--output', 'jsonl', '--since', '2001-01-01', '--exe', exe];
      const { stdout, stderr } = await vcml('query', ...args, input);
      deepEqual(stdout.split('\n').slice(0, -1).map(idIn), expected.map(idIn), `${exe} ${stderr}`);
    }
});
