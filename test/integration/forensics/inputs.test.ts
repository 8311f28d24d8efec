import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { entriesByTime, hitsOf } from '../../../forensics/select/ordered.ts';
import { exec, execId, lines, sound, text } from '../../check/craft.ts';
import { plain } from '../../forensics/craft.ts';
import { logRecord, otlpLine } from '../../forensics/otlp.ts';
import { audited, Folder, opened, segment, vcml } from '../../support/forensics.ts';
import { VCML_BIN } from '../../support/paths.ts';

const folder = new Folder();
after(() => folder.close());
const records = () => Object.values(sound());
const query = (...args: string[]) => vcml('query', '--output', 'jsonl', ...args);
const count = (stdout: string) => stdout.split('\n').length - 1;

describe('OTLP JSON lines', () => {
  test('become exactly the records from which they were made', async () => {
    const file = folder.journal('otlp/logs.json', [
      otlpLine(records().slice(0, 2).map(logRecord)),
      otlpLine(records().slice(2).map(logRecord)),
    ]);
    const { stdout } = await query(file);
    const parsed = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      parsed,
      lines(records()).map((line) => JSON.parse(line)),
    );
    assert.match(stdout, /"timestamp":1764001000000000010,/);
    assert.deepEqual(await audited(file), []);
  });

  test('may contain a record twice, which counts once and is reported', async () => {
    const line = otlpLine(records().map(logRecord));
    const file = folder.journal('twice.json', [line, line]);
    const { stdout, stderr } = await query(file);
    assert.equal(count(stdout), records().length);
    assert.match(stderr, /7 records came again, and count once/);
    assert.deepEqual(await audited(file), []);
  });

  test('may contain log records of other sources, and torn lines', async () => {
    const other = { timeUnixNano: '5', body: { stringValue: 'hello' }, attributes: [] };
    const file = folder.write(
      'mixed.json',
      `${otlpLine([other, ...records().map(logRecord)])}\n{"resourceLogs":[{`,
    );
    const { stdout, stderr } = await query(file);
    assert.equal(count(stdout), records().length);
    assert.match(stderr, /1 log records are no vCML records/);
    assert.match(stderr, /skipped 1 line/);
  });
});

describe('a log record that says it is a record and is none is skipped alone', () => {
  const deep = (depth: number) =>
    `${'{"arrayValue":{"values":['.repeat(depth)}${']}}'.repeat(depth)}`;
  const withAttribute = (value: string) => (line: string) =>
    line.replace(
      '"attributes":[{"key":"vcml',
      `"attributes":[{"key":"x","value":${value}},{"key":"vcml`,
    );
  for (const [what, change] of Object.entries({
    'an attribute that is nested 100 times': withAttribute(deep(100)),
    'an attribute that is nested deeper than the stack': withAttribute(deep(50_000)),
    'half of a surrogate pair': withAttribute('{"stringValue":"\\ud800"}'),
    'a number as its id': (line: string) =>
      line.replace(/("log\.record\.uid","value":)\{"stringValue":"[^"]*"\}/, '$1{"intValue":"5"}'),
  }))
    test(what, async () => {
      const [first, ...others] = records();
      const odd = exec(900, 900, 1, 900);
      const line = otlpLine([first, odd].filter((one) => one !== undefined).map(logRecord));
      const at = line.indexOf('"timeUnixNano"', line.indexOf('"timeUnixNano"') + 1);
      const changed = line.slice(0, at) + change(line.slice(at));
      assert.notEqual(changed, line);
      const file = folder.journal('odd-otlp.json', [changed, otlpLine(others.map(logRecord))]);
      const { code, stdout, stderr } = await query(file);
      assert.deepEqual([code, count(stdout)], [3, records().length], stderr);
      assert.match(stderr, /odd-otlp\.json: skipped 1 line that cannot be read/);
      const unread = (await audited(file)).filter((one) => one.code === 'LINE_UNREADABLE');
      assert.deepEqual(
        unread.map((one) => one.line),
        [1],
      );
    });
});

describe('the records of the vCML reference', () => {
  test('have only core fields, and can be queried like others', async () => {
    const file = folder.journal('reference.jsonl', [
      plain('a'),
      plain('b', { permitted_by: 'a', parent_cause: 'a', object: { path: '/x' }, timestamp: 5 }),
    ]);
    const { stdout } = await vcml('chain', 'b', file);
    assert.match(stdout, /■ a root: root_event:boot/);
    assert.equal(count((await query('--action', 'exec', file)).stdout), 2);
  });
});

describe('numbers beyond 2^53', () => {
  test('stay exact in every form of output', async () => {
    const odd = exec(10, 100, 0, 1);
    odd.timestamp = 9_007_199_254_740_993n * 100n + 7n;
    const file = folder.journal('exact.jsonl', [text(odd)]);
    for (const form of ['json', 'jsonl'])
      assert.match(
        (await vcml('query', '--output', form, file)).stdout,
        /"timestamp":900719925474099307[,}]/,
      );
    const sql = 'SELECT "timestamp" FROM records';
    assert.match(
      (await vcml('query', '--sql', sql, '--output', 'csv', file)).stdout,
      /900719925474099307/,
    );
    assert.match(
      (await vcml('query', '--output', 'csv', file)).stdout,
      /1998-07-17T[0-9:]{8}\.474099307Z/,
    );
  });
});

describe('lines that cannot be read', () => {
  test('are skipped, counted and reported, and the other lines are read', async () => {
    const [first = '', ...others] = lines(records());
    const file = folder.write(
      'torn.jsonl',
      Buffer.concat([
        Buffer.from(`${first}\n{"id":\n[1]\n\n`),
        Buffer.from([0x7b, 0xff, 0xfe, 0x0a, 0x00, 0x0a]),
        Buffer.from(`${others.join('\n')}\n{"id":"x`),
      ]),
    );
    const { code, stdout, stderr } = await query(file);
    assert.equal(code, 3);
    assert.equal(count(stdout), records().length);
    assert.match(stderr, /torn\.jsonl: skipped 5 lines that cannot be read/);
    const found = await audited(file);
    assert.deepEqual(
      found.map(({ line }) => line),
      [2, 3, 5, 6, 13],
    );
  });
});

describe('several nodes', () => {
  test('are merged by time, each in its own order', async () => {
    const renamed = (node: string) =>
      records().map((record) =>
        text({
          ...record,
          id: `${node}${String(record.id).slice(1)}`,
          parent_cause: null,
          permitted_by: 'unobserved_parent',
          resource: { 'host.name': node },
        }),
      );
    folder.journal(`nodes/a/${segment(1)}`, renamed('a').slice(0, 3));
    folder.journal(`nodes/a/${segment(2)}`, renamed('a').slice(3));
    folder.journal(`nodes/b/${segment(9)}`, renamed('b'));
    folder.write('nodes/b/state.json', '{"pid":1}');
    const { stdout } = await query(join(folder.path, 'nodes'));
    const found = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.equal(found.length, 2 * records().length);
    const times = found.map(({ timestamp }) => timestamp);
    assert.deepEqual(
      times,
      times.toSorted((x, y) => x - y),
    );
    const glob = await query(join(folder.path, 'nodes/*'));
    assert.equal(glob.stdout, stdout);
    assert.equal(
      count((await query('--node', 'b', join(folder.path, 'nodes'))).stdout),
      records().length,
    );
  });
});

test('an input that does not exist is named, and the exit code is 2', async () => {
  const { code, stderr } = await query(join(folder.path, 'nowhere'));
  assert.equal(code, 2);
  assert.match(stderr, /nowhere: no such file, or no records in this folder/);
});

test('whoever needs no more lines leaves no file open', async () => {
  const file = folder.journal(`enough/${segment(1)}`, lines(records()));
  await opened([file], async (journals) => {
    await journals.scan('all_lines', ['id']);
    const hits = await hitsOf(journals, 'all_lines', 'true');
    for await (const { text } of entriesByTime(journals, hits)) {
      assert.notEqual(text, '');
      break;
    }
    const open = readdirSync('/proc/self/fd').map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return ''; // the one that listed them
      }
    });
    assert.ok(!open.includes(file));
  });
});

test('tail prints and filters the records that are written from then on', async () => {
  const file = folder.journal(`tail/${segment(1)}`, [text(exec(5, 99, 0, 1))]);
  const child = spawn(VCML_BIN, [
    'tail',
    '--user',
    '0',
    '--output',
    'jsonl',
    join(folder.path, 'tail'),
  ]);
  let stdout = '';
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  // It may begin to follow at any moment: it must print one of these, and then all later ones.
  const other = exec(7, 98, 0, 2);
  other.actor.uid = 5;
  other.attributes['process.user.id'] = 5;
  let next = 100;
  while (stdout === '') {
    appendFileSync(file, `${text(other)}\n${text(exec(next, next, 0, next))}\n`);
    next += 1;
    await Promise.race([once(child.stdout, 'data'), new Promise((r) => setTimeout(r, 200))]);
    assert.equal(child.exitCode, null);
  }
  const last = execId(next, next);
  appendFileSync(file, `${text(exec(next, next, 0, next))}\n`);
  while (!stdout.includes(last)) await once(child.stdout, 'data');
  child.kill('SIGINT');
  const [exitCode] = await once(child, 'exit');
  assert.equal(exitCode, 0);
  assert.ok(!stdout.includes(execId(5, 99)), 'what was there before');
  assert.ok(!stdout.includes(execId(7, 98)), 'what the filter leaves out');
});
