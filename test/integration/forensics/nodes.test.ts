import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { Graph } from '../../../forensics/graph.ts';
import { Journals } from '../../../forensics/journals.ts';
import { type Draft, exec, execId, lines, start } from '../../check/craft.ts';
import { Folder, segment, vcml } from '../../support/forensics.ts';
import { startServer } from '../../support/serve/server.ts';

const folder = new Folder();
after(() => folder.close());

/** Returns a record of another node, with everything else as it was. */
function forged(record: Draft, object = '/forged'): Draft {
  return { ...record, object, resource: { ...record.resource, 'host.name': 'other' } };
}

const root = exec(10, 100, 0, 1);
const child = exec(20, 101, 0, 2, { parent: execId(10, 100) });
const grandchild = exec(30, 102, 0, 3, { parent: execId(20, 101) });
/** Its cause is in no file of its node. */
const orphan = exec(40, 103, 0, 4, { parent: execId(5, 99) });
const own = folder.journal(
  `own/${segment(1)}`,
  lines([start([1]), root, child, grandchild, orphan]),
);
/** A node that somebody else controls claims to have caused what ran here, and to be its effect. */
const other = folder.journal(
  `other/${segment(1)}`,
  lines([
    forged(exec(5, 99, 0, 1)),
    forged(child),
    forged(exec(50, 104, 0, 2, { parent: execId(20, 101) })),
    forged(exec(60, 105, 0, 3, { parent: execId(10, 100) })),
  ]),
);
const one = folder.journal('one.jsonl', [
  ...readFileSync(other, 'utf8').trim().split('\n'),
  ...readFileSync(own, 'utf8').trim().split('\n'),
]);
const INPUTS = [[own, other], [other, own], [one]];

const idsIn = (stdout: string) =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const { id, object } = JSON.parse(line);
      return object === '/forged' ? `forged ${id}` : id;
    });

describe('causes and effects are of the same node', () => {
  test('in a chain', async () => {
    for (const inputs of INPUTS) {
      const { stdout } = await vcml('chain', '--output', 'jsonl', `${grandchild.id}`, ...inputs);
      assert.deepEqual(idsIn(stdout), [grandchild.id, child.id, root.id]);
      const ends = await vcml('chain', `${orphan.id}`, ...inputs);
      assert.equal(ends.code, 0, ends.stderr);
      assert.doesNotMatch(ends.stdout, /forged/);
      const said = ends.stdout.replaceAll(/\s+/g, ' ');
      assert.match(said, /is in none of these files as a record of this node/);
    }
  });

  test('in a tree', async () => {
    for (const inputs of INPUTS) {
      const { stdout } = await vcml('tree', '--output', 'jsonl', `${root.id}`, ...inputs);
      assert.deepEqual(idsIn(stdout), [root.id, child.id, grandchild.id]);
      const all = await vcml('tree', '--output', 'jsonl', '--action', 'exec', ...inputs);
      const forgeries = idsIn(all.stdout).filter((id) => id.startsWith('forged'));
      // The one effect that the other node has of its own stands behind its cause.
      const cause = forgeries.indexOf(`forged ${child.id}`);
      assert.equal(forgeries.indexOf(`forged ${execId(50, 104)}`), cause + 1);
    }
  });

  test('in a report', async () => {
    for (const [n, inputs] of INPUTS.entries()) {
      const out = join(folder.path, `report-${n}.md`);
      const args = ['--markdown', '-o', out, `${grandchild.id}`];
      assert.equal((await vcml('report', ...args, ...inputs)).code, 0);
      const text = readFileSync(out, 'utf8');
      assert.doesNotMatch(text, /forged/);
      assert.match(text, /It was started by/);
    }
  });

  test('in the browser', async (t) => {
    const server = await startServer(t, own, other);
    const { rows } = await server.json(`/api/record/${grandchild.id}`);
    assert.equal(rows.length, 3);
    const { status, body } = await server.send(`/api/record/${child.id}`);
    assert.equal(status, 400);
    assert.match(body, /more than one record has the id .*: on node at .*, on other at /);
    const beginning = await server.send(`/api/record/${`${child.id}`.slice(0, 8)}`);
    assert.equal(beginning.body, body);
  });

  test('whether execs are read in threads or by DuckDB', async () => {
    for (const threadsFrom of [0, Number.POSITIVE_INFINITY])
      for (const inputs of INPUTS) {
        const journals = await Journals.open(inputs, threadsFrom);
        try {
          const graph = await Graph.load(journals);
          const chain = graph.chainOf(await graph.find(`${grandchild.id}`));
          assert.equal(chain.length, 3);
          assert.deepEqual([...graph.childrenOf(chain[2] ?? -1)], [chain[1]]);
          const alone = await graph.find(`${orphan.id}`);
          assert.equal(graph.parentOf(alone), undefined);
        } finally {
          journals.close();
        }
      }
  });
});

test('of several records with an id, the last one before the effect is its cause, or the first', async () => {
  const cause = (object: string) => ({ ...root, object });
  const path = (name: string, ...records: Draft[]) => folder.journal(name, lines(records));
  for (const [file, place] of [
    [path('before.jsonl', cause('/a'), cause('/b'), child, cause('/c')), 1],
    [path('behind.jsonl', child, cause('/a'), cause('/b'), cause('/c')), 1],
  ] as const)
    for (const threadsFrom of [0, Number.POSITIVE_INFINITY]) {
      const journals = await Journals.open([file], threadsFrom);
      try {
        const graph = await Graph.load(journals);
        assert.equal(graph.parentOf(await graph.find(`${child.id}`)), place);
      } finally {
        journals.close();
      }
    }
});

describe('an id that several nodes have', () => {
  const id = `${child.id}`;

  test('means none of them, whole or its beginning, and names the remedy', async () => {
    for (const inputs of INPUTS)
      for (const given of [id, id.slice(0, 8)])
        for (const command of [['chain'], ['tree'], ['report', '-o', join(folder.path, 'none')]]) {
          const { code, stdout, stderr } = await vcml(...command, given, ...inputs);
          assert.equal(code, 64, stderr);
          assert.equal(stdout, '');
          assert.match(
            stderr,
            /several nodes have a record with the id [\w-]+: node, other; name one with --node/,
          );
        }
  });

  test('means that of a node with --node', async () => {
    for (const inputs of INPUTS)
      for (const given of [id, id.slice(0, 8)]) {
        const found = async (...args: string[]) => {
          const { stdout } = await vcml(...args, '--output', 'jsonl', given, ...inputs);
          return idsIn(stdout);
        };
        assert.deepEqual(await found('chain', '--node', 'node'), [id, root.id]);
        assert.deepEqual(await found('chain', '--node', 'o*'), [`forged ${id}`]);
        assert.deepEqual(await found('tree', '--node', 'node'), [id, grandchild.id]);
        assert.deepEqual(await found('tree', '--node', 'other'), [
          `forged ${id}`,
          `forged ${execId(50, 104)}`,
        ]);
      }
  });

  test('is on no other node, and a pattern that no engine accepts is refused', async () => {
    const none = await vcml('chain', '--node', 'third', id, own, other);
    assert.equal(none.code, 1);
    assert.match(none.stderr, /no record has the id/);
    const refused = await vcml('chain', '--node', '/(?=a)/', id, own, other);
    assert.equal(refused.code, 64, refused.stderr);
  });

  test('begins like another one, and --node means one of them', async () => {
    const alike = forged({ ...root, id: `${id.slice(0, 8)}-0000-5000-8000-000000000000` });
    const more = folder.journal('alike.jsonl', lines([alike]));
    const begin = id.slice(0, 8);
    const several = await vcml('chain', begin, own, more);
    assert.equal(several.code, 64);
    assert.match(several.stderr, /more than one id begins with/);
    const { stdout } = await vcml('chain', '--output', 'jsonl', '--node', 'node', begin, own, more);
    assert.deepEqual(idsIn(stdout), [id, root.id]);
  });

  test('that one node has twice, with other contents, is remarked on', async () => {
    const twice = folder.journal('twice.jsonl', lines([{ ...child, object: '/twice' }]));
    const { code, stderr } = await vcml('chain', id, own, twice);
    assert.equal(code, 0);
    assert.match(
      stderr,
      /2 records have the id [\w-]+, and the first one is shown: see `vcml audit`/,
    );
  });
});
