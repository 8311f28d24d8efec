import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { Graph } from '../../../../forensics/graph.ts';
import { type Draft, exec, execId, lines, sound, start, text } from '../../../check/craft.ts';
import { logRecord, otlpLine } from '../../../forensics/otlp.ts';
import { audited, Folder, opened, segment, vcml } from '../../../support/forensics.ts';

const folder = new Folder();
after(() => folder.close());
const RECORDS = Object.values(sound());
const JOURNAL = `${lines(RECORDS).join('\n')}\n`;

const sqlCount = (...paths: string[]) =>
  opened(paths, async (journals) => {
    await journals.readyViews();
    const rows = await journals.rows('SELECT count(*) FROM records');
    return Number(rows[0]?.[0]);
  });

/** Asserts that each record is shown once, and that the audit finds nothing. */
async function assertOnce(paths: readonly string[], records = RECORDS.length): Promise<void> {
  const { code, stdout, stderr } = await vcml('query', '--output', 'jsonl', ...paths);
  assert.equal(code, 0, stderr);
  const ids = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).id);
  assert.equal(ids.length, records, stderr);
  assert.equal(new Set(ids).size, records);
  assert.match(stderr, /came again, and count once|the same as .*, and counts once/);
  assert.equal(await sqlCount(...paths), records);
  await opened(paths, async (journals) => {
    const graph = await Graph.load(journals);
    const row = await graph.find(execId(10, 100));
    assert.equal(graph.childrenOf(row).length, 1);
    assert.equal(journals.recordCount, records);
  });
  assert.deepEqual(await audited(...paths), []);
}

describe('a record that several inputs have counts once', () => {
  test('in a journal and in what its collector wrote', async () => {
    const journal = folder.write(`journal/${segment(1)}`, JOURNAL);
    const collected = folder.write('collected.json', `${otlpLine(RECORDS.map(logRecord))}\n`);
    await assertOnce([journal, collected]);
    await assertOnce([collected, journal]);
  });

  test('in two copies of one file', async () => {
    const one = folder.write('copies/one.jsonl', JOURNAL);
    await assertOnce([one, folder.write('copies/two.jsonl', JOURNAL)]);
  });

  test('in a plain and in a compressed copy', async () => {
    const one = folder.write('forms/one.jsonl', JOURNAL);
    await assertOnce([one, folder.write('forms/two.jsonl.zst', zstdCompressSync(JOURNAL))]);
  });

  test('in two pulls that overlap, in whatever order they are named', async () => {
    const all = [
      start([1, 1]),
      ...Array.from({ length: 9 }, (_, n) =>
        exec(10 + n, 100 + n, 0, n + 1, n === 1 ? { parent: execId(10, 100) } : {}),
      ),
    ];
    const pull = (name: string, from: number, to: number) =>
      folder.journal(`${name}/${segment(1)}`, lines(all.slice(from, to)));
    const [early, late] = [pull('early', 0, 6), pull('late', 3, 10)];
    await assertOnce([early, late], all.length);
    await assertOnce([late, early], all.length);
  });

  test('with its members in another order', async () => {
    const turned = ({ id, ...others }: Draft) => text({ ...others, id });
    const one = folder.write('order/one.jsonl', JOURNAL);
    await assertOnce([one, folder.journal('order/two.jsonl', RECORDS.map(turned))]);
  });
});

test('records with one id and different contents are shown, and are a finding', async () => {
  const [first = ''] = lines(RECORDS);
  const one = folder.write('differ/one.jsonl', JOURNAL);
  const changed = first.replace('"0.1.0"', '"0.1.1"');
  assert.notEqual(changed, first);
  const two = folder.journal('differ/two.jsonl', [changed, ...lines(RECORDS).slice(1)]);
  assert.equal(await sqlCount(one, two), RECORDS.length + 1);
  const codes = (await audited(one, two)).map(({ code }) => code);
  assert.ok(codes.includes('ID_DUPLICATE'), codes.join());
});

test('a line that is twice in one journal is a finding, and both are read', async () => {
  const twice = folder.write('twice.jsonl', JOURNAL + JOURNAL);
  assert.equal(await sqlCount(twice), 2 * RECORDS.length);
  const codes = (await audited(twice)).map(({ code }) => code);
  assert.ok(codes.includes('ID_DUPLICATE'));
});
