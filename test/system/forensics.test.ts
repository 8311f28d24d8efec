import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { type Agent, program, startAgent } from '../support/agent.ts';
import { audited, Folder, segment, vcml } from '../support/forensics.ts';

const noop = program('noop');
/** the commands of the shell below: a chain, a loop, arguments that try to control a terminal */
const SCRIPT = `${noop} case:forensics:first
sh -c 'exec ${noop} case:forensics:second'
for i in 1 2 3 4; do ${noop} case:forensics:loop; done
${noop} case:forensics:hostile "$1"`;
const HOSTILE = '\x1b]0;owned\x07\x1b[2J\u202etxt.exe\u2028=1+1';

/** Controls, format characters, line ends of Unicode. */
const OBEYED = /[\p{C}\u2028\u2029]/u;

const folder = new Folder();
let agent: Agent;
/** a complete copy of the journal */
let journal: string;

before(async () => {
  agent = await startAgent();
  const shell = spawn('sh', ['-c', SCRIPT, 'case:forensics:shell', HOSTILE], { stdio: 'ignore' });
  await once(shell, 'exit');
  await agent.journal.marked(`case:forensics:hostile ${escaped(HOSTILE)}`);
  await agent.stop();
  agent.records();
  journal = join(folder.path, 'node-1');
  cpSync(agent.journalDir, journal, { recursive: true });
});
after(async () => {
  await agent?.close();
  folder.close();
});

/** The arguments of a record, joined and in the record's own form. */
function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\');
}

function idOf(marker: string): string {
  const found = agent.journal.withMarker(marker);
  assert.ok(found[0], marker);
  return found[0].id;
}

const idsIn = (jsonl: string) => Array.from(jsonl.matchAll(/^\{"id":"([^"]+)"/gm), ([, id]) => id);

describe('a journal of the agent', () => {
  test('is sound', async () => {
    assert.deepEqual(await audited(journal), []);
    const { code, stdout } = await vcml('audit', journal);
    assert.equal(code, 0);
    assert.match(stdout, /^sound: \d+ lines/);
  });

  test('is printed unchanged by query, every line', async () => {
    const { stdout } = await vcml('query', '--output', 'jsonl', journal);
    const lines = stdout.trimEnd().split('\n');
    assert.equal(lines.length, agent.journal.lines.length);
    for (const [at, line] of lines.entries())
      assert.deepEqual(JSON.parse(line), JSON.parse(agent.journal.lines[at] ?? ''));
    for (const [at, line] of lines.entries())
      assert.equal(
        /"timestamp":(\d+)/.exec(line)?.[1],
        /"timestamp":(\d+)/.exec(agent.journal.lines[at] ?? '')?.[1],
      );
  });

  test('is the same if it is compressed, and if both forms of a segment exist', async () => {
    const both = join(folder.path, 'both');
    cpSync(journal, both, { recursive: true });
    const plain = join(both, segment(1));
    folder.write(`both/${segment(1)}.zst`, zstdCompressSync(readFileSync(plain)));
    const answers = [await vcml('query', '--output', 'jsonl', journal)];
    answers.push(await vcml('query', '--output', 'jsonl', both));
    rmSync(plain);
    answers.push(await vcml('query', '--output', 'jsonl', both));
    assert.ok(answers.every(({ stdout }) => stdout === answers[0]?.stdout && stdout !== ''));
    assert.deepEqual(await audited(both), []);
  });
});

describe('chain', () => {
  test('follows causes back to the gap, and states its reason', async () => {
    const id = idOf('case:forensics:second');
    const { stdout } = await vcml('chain', id, '--output', 'jsonl', journal);
    const records = new Map(agent.journal.records.map((record) => [record.id, record]));
    const expected: string[] = [];
    for (let at = records.get(id); at !== undefined; at = records.get(at.parent_cause ?? ''))
      expected.push(at.id);
    assert.ok(expected.length >= 3);
    assert.deepEqual(idsIn(stdout), expected);
    const text = await vcml('chain', id.slice(0, 8), journal);
    assert.match(text.stdout, /⁇ the chain ends here: predates_hook: .*\[\d+\]/);
  });

  test('says which cause is in none of the files', async () => {
    const id = idOf('case:forensics:second');
    const line = agent.journal.lines.find((one) => one.includes(`"id":"${id}"`)) ?? '';
    const alone = folder.journal('alone.jsonl', [line]);
    const { stdout, code } = await vcml('chain', id, alone);
    assert.equal(code, 0);
    assert.match(stdout, /the cause [0-9a-f-]{36} is in\s+none of these files/);
  });

  test('ends with 1 if there is no such record', async () => {
    const { code, stderr } = await vcml('chain', '00000000-0000-5000-8000-000000000000', journal);
    assert.equal(code, 1);
    assert.match(stderr, /^vcml: no record has the id/m);
  });
});

describe('tree', () => {
  const shell = () => {
    const root = agent.journal.records.find(({ id }) => id === first()?.parent_cause);
    assert.ok(root);
    return root.id;
  };
  const first = () => agent.journal.withMarker('case:forensics:first')[0];

  test('shows the effects of a record, and children that do the same once', async () => {
    const { stdout } = await vcml('tree', shell(), journal);
    assert.match(stdout, /└ noop\[\d+\] ×4 /);
    const all = await vcml('tree', shell(), '--no-collapse', journal);
    const lines = (text: string) => text.match(/└ noop\[\d+\]/g)?.length ?? 0;
    assert.equal(lines(all.stdout), lines(stdout) + 3);
  });

  test('stops at the given depth, and says that there is more', async () => {
    const { stdout, stderr } = await vcml(
      'tree',
      shell(),
      '--depth',
      '0',
      '--output',
      'jsonl',
      journal,
    );
    assert.deepEqual(idsIn(stdout), [shell()]);
    assert.match(stderr, /1 have children below --depth/);
  });
});

describe('query', () => {
  const ids = async (...args: string[]) =>
    idsIn((await vcml('query', '--output', 'jsonl', ...args, journal)).stdout);

  test('selects by executable and argument, as text, glob or regular expression', async () => {
    const one = [idOf('case:forensics:first')];
    assert.deepEqual(await ids('--exe', 'noop', '--arg', 'case:forensics:first'), one);
    assert.deepEqual(await ids('--exe', noop, '--arg', 'case:*:first'), one);
    assert.deepEqual(await ids('--arg', '/^case:f.*:first$/'), one);
    assert.deepEqual(await ids('--exe', 'noo', '--arg', 'case:forensics:first'), []);
  });

  test('selects by time, to the nanosecond', async () => {
    const line = agent.journal.lines.find((one) => one.includes(idOf('case:forensics:second')));
    const nanoseconds = BigInt(/"timestamp":(\d+)/.exec(line ?? '')?.[1] ?? 0);
    const at = (time: bigint) =>
      `${new Date(Number(time / 1_000_000_000n) * 1000).toISOString().slice(0, 19)}.${String(time % 1_000_000_000n).padStart(9, '0')}Z`;
    const marked = ['--arg', 'case:forensics:second', '--exe', 'noop'];
    const range = (from: bigint, to: bigint) =>
      ids(...marked, '--since', at(from), '--until', at(to));
    assert.equal((await range(nanoseconds, nanoseconds + 1n)).length, 1);
    assert.equal((await range(nanoseconds + 1n, nanoseconds + 2n)).length, 0);
    assert.equal((await range(nanoseconds - 1n, nanoseconds)).length, 0);
  });

  test('answers SQL over the views, and writes nothing', async () => {
    const sql = `SELECT count(*) AS n, max("timestamp") AS latest FROM records`;
    const { stdout } = await vcml('query', '--sql', sql, '--output', 'jsonl', journal);
    const latest = agent.journal.lines
      .map((line) => BigInt(/"timestamp":(\d+)/.exec(line)?.[1] ?? 0))
      .toSorted((a, b) => (a < b ? -1 : 1))
      .at(-1);
    assert.equal(stdout, `{"n":${agent.journal.lines.length},"latest":${latest}}\n`);
    const target = join(folder.path, 'written.csv');
    for (const refused of [
      `COPY (SELECT 1) TO '${target}'`,
      'CREATE TABLE x AS SELECT 1',
      `SELECT * FROM read_text('/etc/passwd')`,
      'SELECT 1; SELECT 2',
    ]) {
      const { code } = await vcml('query', '--sql', refused, journal);
      assert.equal(code, 64, refused);
    }
    assert.ok(!readdirSync(folder.path).includes('written.csv'));
  });
});

describe('every output', () => {
  test('contains nothing that controls a terminal or reverses text', async () => {
    const inputs = ['--arg', 'case:forensics:hostile', journal];
    for (const form of ['text', 'json', 'jsonl', 'csv']) {
      const { stdout } = await vcml('query', '--output', form, ...inputs);
      assert.match(stdout, /owned/, form);
      assert.doesNotMatch(stdout.replaceAll(/\r?\n/g, ''), OBEYED, form);
    }
    const [id = ''] = idsIn((await vcml('query', '--output', 'jsonl', ...inputs)).stdout);
    for (const command of ['chain', 'tree']) {
      const { stdout } = await vcml(command, id, journal);
      assert.doesNotMatch(stdout.replaceAll('\n', ''), OBEYED, command);
    }
  });
});

describe('export', () => {
  test('writes the same records as Parquet by day and node', async () => {
    const target = join(folder.path, 'parquet');
    assert.equal((await vcml('export', '--parquet', target, journal)).code, 0);
    const [day] = readdirSync(target);
    assert.match(day ?? '', /^day=\d{4}-\d\d-\d\d$/);
    const node = readdirSync(join(target, day ?? ''));
    assert.deepEqual(node, ['node=test-node']);
    assert.equal(
      (await vcml('export', '--parquet', target, journal)).code,
      64,
      'not into what is there',
    );
  });
});

test('a line that is being written is reported and skipped, and the others are read', async () => {
  const live = join(folder.path, 'live');
  mkdirSync(live);
  cpSync(journal, live, { recursive: true });
  const file = join(live, segment(1));
  truncateSync(file, readFileSync(file).length - 5);
  const { code, stdout, stderr } = await vcml('query', '--output', 'jsonl', live);
  assert.equal(code, 0);
  assert.equal(stdout.trimEnd().split('\n').length, agent.journal.lines.length - 1);
  assert.match(stderr, /skipped 1 line that cannot be read/);
  assert.deepEqual(
    (await audited(live)).map((found) => found.code),
    ['LINE_UNFINISHED'],
  );
});
