import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { dirname, relative } from 'node:path';
import { describe, test } from 'node:test';
import { chooseObjects } from '../../../forensics/archive/choose.ts';
import { Places } from '../../../forensics/archive/places.ts';
import { Temporary } from '../../../forensics/inputs/temporary.ts';

const SEGMENT = '00000000000000000007.jsonl';
const listed = (key: string) => ({ bucket: 'archive', key, bytes: 1, tag: undefined });
const choose = (...keys: readonly string[]) => chooseObjects(keys.map(listed));
const keysOf = ({ chosen }: ReturnType<typeof choose>) => chosen.map(({ object }) => object.key);

describe('of the objects that are listed', () => {
  test('those of a folder come first: segments, other files, then its folders', () => {
    const found = choose(
      `node-2/${SEGMENT}`,
      `node-1/b/${SEGMENT}`,
      'node-1/a.json',
      `node-1/${SEGMENT}.zst`,
      'z.jsonl',
    );
    deepEqual(keysOf(found), [
      'z.jsonl',
      `node-1/${SEGMENT}.zst`,
      'node-1/a.json',
      `node-1/b/${SEGMENT}`,
      `node-2/${SEGMENT}`,
    ]);
    deepEqual(found.problems, []);
  });

  test('a compressed segment has the index of its own folder', () => {
    const index = SEGMENT.replace('jsonl', 'index');
    const { chosen, problems } = choose(`a/${SEGMENT}.zst`, `a/${index}`, `b/${SEGMENT}.zst`);
    deepEqual(
      chosen.map((one) => one.index?.key),
      [`a/${index}`, undefined],
    );
    deepEqual(problems, []);
  });

  test('other names are one problem, except those of an agent’s own files', () => {
    const unknown = ['logs_1.txt', 'x/y.parquet', 'README', `j/.${SEGMENT}.zst.Ab12`];
    const { problems } = choose(`j/${SEGMENT}`, 'j/lock', 'j/state.json.tmp', ...unknown);
    equal(problems.length, 1);
    equal(problems[0]?.path, 's3://archive/logs_1.txt');
    match(problems[0]?.why ?? '', /neither are x\/y\.parquet, README, 1 more\. Leave it out with/);
  });
});

test('whatever a key is, its content stays in the temporary folder under a name of its own', (t) => {
  const temporary = new Temporary();
  t.after(() => temporary.close());
  const places = new Places(temporary);
  const { chosen } = choose(
    `../../../../etc/${SEGMENT}`,
    '../../etc/passwd.json',
    '/root/.ssh/a.jsonl',
    'a/../b.jsonl.zst',
    'a/..//b.jsonl.zst',
    `${'x'.repeat(1000)}.json.gz`,
    'a\0b\n.binpb',
    `a/${SEGMENT}`,
    `b/${SEGMENT}`,
  );
  equal(chosen.length, 9);
  const paths = chosen.map((one) => places.of(one));
  equal(new Set(paths).size, paths.length);
  for (const path of paths) {
    const inside = relative(temporary.path ?? '', path);
    match(inside, /^\d+\/(\d+\.(jsonl|json|binpb)(\.zst|\.gz)?|\d{20}\.jsonl)$/);
  }
  const ofSegments = paths.filter((path) => path.endsWith(SEGMENT)).map(dirname);
  ok(new Set(ofSegments).size === 3);
});
