import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { evidenceIn } from '../../../../forensics/audit/checkpoints/evidence.ts';
import { readWitness } from '../../../../forensics/audit/checkpoints/read-witness.ts';
import { Journals } from '../../../../forensics/journals.ts';
import type { TreeFacts } from '../../../../record/tree/chain.ts';
import { type Draft, sound, start, stop, text } from '../../../check/craft.ts';
import { logRecord, otlpLine } from '../../../forensics/otlp.ts';
import { checkpointsIn, NEW, Sealer, sealed } from '../../../support/checkpoints.ts';
import {
  BLOCKS,
  block,
  EPOCH,
  inFrames,
  soundTexts,
  TAIL,
} from '../../../support/evidence/sound-journal.ts';
import { audited, Folder, opened, segment, vcml } from '../../../support/forensics.ts';

const OTHER_EPOCH = '22222222-2222-4222-8222-222222222222';

const folder = new Folder();
after(() => folder.close());

let count = 0;
/** Writes a journal; its segments are numbered from 1, and undefined is missing. */
function write(texts: readonly (Buffer | undefined)[], isZstd = false): string {
  count += 1;
  for (const [at, bytes] of texts.entries())
    if (bytes !== undefined && isZstd)
      folder.write(`${count}/${segment(at + 1)}.zst`, inFrames(bytes));
    else if (bytes !== undefined) folder.write(`${count}/${segment(at + 1)}`, bytes);
  return join(folder.path, `${count}`);
}

async function codesIn(...paths: readonly string[]): Promise<string[]> {
  return [...new Set((await audited(...paths)).map(({ code }) => code))].sort();
}

const replaced = (texts: readonly Buffer[], at: number, from: string, to: string) =>
  texts.with(at, Buffer.from(`${texts[at]}`.replace(from, to)));
/** Leaves out the checkpoint of this number, from 0, of a segment. */
const without = (texts: readonly Buffer[], at: number, number: number) => {
  const all = `${texts[at]}`.split('\n');
  const places = all.flatMap((one, line) => (one.includes('journal.checkpoint') ? [line] : []));
  return texts.with(at, Buffer.from(all.toSpliced(places[number] ?? 0, 1).join('\n')));
};

describe('a sound journal has no finding', () => {
  const cases: Readonly<Record<string, () => string>> = {
    'as it is': () => write(soundTexts()),
    compressed: () => write(soundTexts(), true),
    'whose front was deleted': () => write([undefined, ...soundTexts().slice(1)]),
    'of which one segment is named': () => join(write(soundTexts()), segment(2)),
    'that ends with a stop and a checkpoint': () => {
      const sealer = new Sealer(EPOCH, NEW, 'h1', 3);
      return write(sealed([[{ lines: Object.values(sound()).map(text), isSealed: true }]], sealer));
    },
    'of a run that goes on after a stop': () => {
      const sealer = new Sealer(EPOCH, NEW, 'h1', 2);
      const end = text(stop(500, 1, 3, 3, 0));
      const first = block(1, 4, [start([1])]);
      const [one = Buffer.alloc(0)] = sealed(
        [[{ ...first, lines: [...first.lines, end] }]],
        sealer,
      );
      sealer.named = 1;
      const again = block(4, 6, [start([4], 'resumed', 600)]);
      const [, two = Buffer.alloc(0)] = sealed([[], [again]], sealer);
      return write([one, two]);
    },
  };
  for (const [name, make] of Object.entries(cases))
    test(name, async () => {
      assert.deepEqual(await codesIn(make()), []);
    });
});

test('a segment that is there, but not among the inputs, is not missing', async () => {
  assert.deepEqual(await codesIn(join(write(soundTexts()), '*[13].jsonl')), ['SEQ_MISSING']);
});

test('a folder or a link with the name of a segment does not stand for it', async () => {
  const dir = write(soundTexts().with(1, undefined as unknown as Buffer));
  mkdirSync(join(dir, segment(2)));
  assert.deepEqual(await codesIn(dir), ['CHECKPOINT_MISSING', 'SEQ_MISSING']);
  rmSync(join(dir, segment(2)), { recursive: true });
  symlinkSync(folder.write(`${count}.jsonl`, Buffer.alloc(0)), join(dir, segment(2)));
  assert.deepEqual(await codesIn(dir), ['CHECKPOINT_MISSING', 'SEQ_MISSING']);
});

test('segments that are missing before one with a huge number are reported at once', async () => {
  const dir = write(soundTexts());
  folder.write(`${count}/${'9'.repeat(20)}.jsonl`, Buffer.alloc(0));
  assert.deepEqual(await codesIn(dir), ['CHECKPOINT_MISSING']);
});

test('a segment that cannot be read does not explain a gap in another journal', async () => {
  const gap = write(soundTexts().with(1, undefined as unknown as Buffer));
  const other = write(soundTexts().with(1, undefined as unknown as Buffer));
  symlinkSync('/nowhere', join(other, segment(2)));
  const found = await opened([gap, other], (journals) => evidenceIn(journals));
  assert.deepEqual(
    found.findings.map(({ code, path }) => [code, path]),
    [['CHECKPOINT_MISSING', join(gap, segment(3))]],
  );
});

test('lines behind the last checkpoint are reported with their length', async () => {
  const dir = write(sealed([...BLOCKS, TAIL], new Sealer(EPOCH)));
  const [found, ...more] = await audited(dir);
  assert.deepEqual([found?.code, found?.severity, more], ['LINES_UNVERIFIED', 'NOTE', []]);
  assert.match(found?.message ?? '', /\d+ bytes with 2 lines, \d+ s behind the checkpoint 6/);
});

test('a torn line, a new epoch and segments of format 1 are no findings', async () => {
  const torn = sealed([...BLOCKS, TAIL], new Sealer(EPOCH));
  const end = (torn.at(-1)?.length ?? 0) - 5;
  assert.deepEqual(await codesIn(write(torn.with(-1, torn.at(-1)?.subarray(0, end) as Buffer))), [
    'LINES_UNVERIFIED',
    'LINE_UNFINISHED',
  ]);
  const old = BLOCKS[0]?.map(({ lines: own }) => ({ lines: own, isSealed: false })) ?? [];
  const upgrading = new Sealer(EPOCH, { reason: 'upgraded', previous: undefined });
  upgrading.unverifiedSegments = 1;
  const upgraded = sealed(BLOCKS.slice(1), upgrading);
  const [first = Buffer.alloc(0)] = sealed([old], new Sealer(EPOCH));
  assert.deepEqual(await codesIn(write([first, ...upgraded])), ['EPOCH_BEGUN', 'LINES_UNVERIFIED']);
  assert.deepEqual(await codesIn(write([first])), []);
});

describe('an attack without a witness is found', () => {
  const recorded = (change: (facts: TreeFacts) => TreeFacts) => {
    const sealer = new Sealer(EPOCH);
    const [one, two] = BLOCKS[0] ?? [];
    const parts: Buffer[] = [];
    for (const each of [one, two]) {
      const bytes = Buffer.from(each?.lines.map((line) => `${line}\n`).join('') ?? '');
      sealer.add(bytes);
      parts.push(bytes, sealer.seal(each === two ? change : undefined));
    }
    return write([Buffer.concat(parts)]);
  };
  const other = '"process.working_directory":"/"';
  const cases: Readonly<Record<string, [() => string, string[]]>> = {
    'a changed value': [
      () => write(replaced(soundTexts(), 1, other, other.replace('/', '.'))),
      ['BLOCK_CHANGED'],
    ],
    'a changed checkpoint': [
      () =>
        write(
          replaced(
            soundTexts(),
            0,
            '"vcml.checkpoint.next_seq":[1,',
            '"vcml.checkpoint.next_seq":[2,',
          ),
        ),
      ['BLOCK_CHANGED'],
    ],
    'a checkpoint that is left out': [
      () => write(without(soundTexts(), 1, 0)),
      ['CHECKPOINT_MISSING'],
    ],
    'the last checkpoint of a segment that is left out': [
      () => write(without(soundTexts(), 1, 1)),
      ['CHECKPOINT_MISSING', 'LINES_UNVERIFIED'],
    ],
    'a segment that is left out': [
      () => write(soundTexts().map((one, at) => (at === 1 ? undefined : one))),
      ['CHECKPOINT_MISSING', 'SEQ_MISSING'],
    ],
    'another history behind a segment': [
      () => {
        const forged = sealed(
          [
            [block(1, 4, [start([1])]), block(4, 6)],
            [{ ...block(6, 9), lines: [] }, block(6, 11)],
            BLOCKS[2] ?? [],
          ],
          new Sealer(EPOCH),
        );
        return write([...soundTexts().slice(0, 2), forged[2]]);
      },
      ['CHECKPOINT_FORKED'],
    ],
    'a root that does not follow': [
      () => recorded((facts) => ({ ...facts, root: facts.leaf })),
      ['CHECKPOINT_FORKED'],
    ],
    'a checkpoint without a size': [
      () => recorded((facts) => ({ ...facts, size: 0 })),
      ['CHECKPOINT_FIELDS', 'LINES_UNVERIFIED'],
    ],
  };
  for (const [name, [make, codes]] of Object.entries(cases))
    test(name, async () => {
      const dir = make();
      assert.deepEqual(await codesIn(dir), codes);
      const inThreads = await Journals.open([dir], 0);
      try {
        const { findings } = await evidenceIn(inThreads);
        const own = new Set(findings.map(({ code }) => code as string));
        assert.deepEqual(
          [...own].sort(),
          codes.filter((code) => code !== 'SEQ_MISSING'),
        );
      } finally {
        inThreads.close();
      }
    });
});

test('a changed block is named by its bytes and times', async () => {
  const texts = replaced(soundTexts(), 0, '"process.vpid":104', '"process.vpid":105');
  const found = await audited(write(texts));
  const message = found.find(({ code }) => code === 'BLOCK_CHANGED')?.message ?? '';
  assert.match(message, /bytes \d+ to \d+, from 2025-\S+Z to 2025-\S+Z, or the checkpoint before/);
});

describe('with a witness', () => {
  const RESOURCE = { 'host.name': 'node', 'host.id': 'h1', 'os.type': 'linux' };
  const exported = (texts: readonly Buffer[], resource = RESOURCE) =>
    checkpointsIn(texts).map((one) => otlpLine([logRecord(one as unknown as Draft)], resource));
  const witness = (all: readonly string[]) => {
    count += 1;
    return folder.journal(`witness-${count}.json`, all);
  };
  const compared = (dir: string, ...paths: readonly string[]) =>
    opened([dir], async (journals) => evidenceIn(journals, await readWitness(paths, [dir], {})));
  const rewritten = () =>
    sealed([BLOCKS[0] ?? [], [block(6, 8), block(8, 11)], BLOCKS[2] ?? []], new Sealer(EPOCH));

  test('a journal is verified up to what left the node', async () => {
    const texts = soundTexts();
    const dir = write(texts);
    const all = exported(texts);
    const whole = await compared(dir, witness(all));
    assert.deepEqual(whole.findings, []);
    assert.match(whole.sentences[0] ?? '', /verified up to 2025-\S+Z \(witnessed\)$/);
    const { findings, sentences } = await compared(dir, witness(all.slice(0, 4)));
    assert.deepEqual(
      findings.map(({ code }) => code),
      ['LINES_UNWITNESSED'],
    );
    assert.match(findings[0]?.more ?? '', /^7 records in \d+ s behind the checkpoint 4 /);
    assert.match(
      sentences[0] ?? '',
      /\(witnessed\); the last \d+ s \(7 records\) are unwitnessed$/,
    );
  });

  test('what a collector adds to the resource makes no difference', async () => {
    const texts = soundTexts();
    const added = { region: 'eu', ...RESOURCE };
    assert.deepEqual((await compared(write(texts), witness(exported(texts, added)))).findings, []);
  });

  test('it is a folder of files, a copy of the journal, or several of them', async () => {
    const texts = soundTexts();
    const dir = write(texts);
    assert.deepEqual((await compared(dir, write(texts, true))).findings, []);
    const all = exported(texts);
    const parts = [witness(all.slice(0, 3)), witness(all.slice(2))];
    assert.deepEqual((await compared(dir, ...parts)).findings, []);
    const mixed = witness([`${texts[0]}`.trim(), ...all]);
    assert.deepEqual((await compared(dir, mixed)).findings, []);
  });

  test('what it has of other nodes is left out', async () => {
    const texts = soundTexts();
    const others = exported(sealed(BLOCKS, new Sealer(OTHER_EPOCH, NEW, 'h2')), {
      ...RESOURCE,
      'host.id': 'h2',
    });
    const dir = write(texts);
    const all = witness([...others, ...exported(texts)]);
    const { epochs } = await readWitness([all], [dir], {});
    assert.deepEqual([...epochs.keys()], [EPOCH]);
    assert.deepEqual((await compared(dir, all)).findings, []);
  });

  const attacks: Readonly<
    Record<string, [() => Promise<{ findings: readonly { code: string }[] }>, string[]]>
  > = {
    'a journal that was rewritten': [
      () => compared(write(rewritten()), witness(exported(soundTexts()))),
      ['WITNESS_FORKED', 'LINES_UNWITNESSED'],
    ],
    'an older copy': [
      () => compared(write(soundTexts().slice(0, 2)), witness(exported(soundTexts()))),
      ['WITNESS_AHEAD'],
    ],
    'a journal of another epoch': [
      () =>
        compared(write(sealed(BLOCKS, new Sealer(OTHER_EPOCH))), witness(exported(soundTexts()))),
      ['WITNESS_AHEAD', 'NOT_WITNESSED'],
    ],
    'a journal of another node': [
      () =>
        compared(
          write(sealed(BLOCKS, new Sealer(OTHER_EPOCH, NEW, 'h2'))),
          witness(exported(soundTexts())),
        ),
      ['NOT_WITNESSED'],
    ],
    'a journal that was removed, and claims to follow what nobody has seen': [
      () => {
        const previous = { epoch: EPOCH, size: 1000, root: Buffer.alloc(32).toString('base64') };
        const sealer = new Sealer(OTHER_EPOCH, { reason: 'damaged', previous });
        const [, ...behind] = sealed([[], ...BLOCKS], sealer);
        return compared(write([undefined, ...behind]), witness(exported(soundTexts())));
      },
      ['EPOCH_BEGUN', 'NOT_WITNESSED', 'WITNESS_AHEAD'],
    ],
    'an epoch that names another end than the witness has': [
      () => {
        const previous = { epoch: EPOCH, size: 6, root: Buffer.alloc(32).toString('base64') };
        const [first = Buffer.alloc(0)] = sealed(
          BLOCKS.slice(2),
          new Sealer(OTHER_EPOCH, { reason: 'damaged', previous }),
        );
        return compared(write([undefined, first]), witness(exported([...soundTexts(), first])));
      },
      ['EPOCH_BEGUN', 'WITNESS_AHEAD', 'WITNESS_FORKED'],
    ],
    'a forged checkpoint that was sent later': [
      () => {
        const forged = exported(rewritten()).slice(3);
        return compared(write(soundTexts()), witness([...exported(soundTexts()), ...forged]));
      },
      ['WITNESS_CONTRADICTS', 'WITNESS_CONTRADICTS', 'WITNESS_CONTRADICTS'],
    ],
  };
  for (const [name, [make, codes]] of Object.entries(attacks))
    test(`${name} is found`, async () => {
      const { findings } = await make();
      assert.deepEqual(findings.map(({ code }) => code).sort(), [...codes].sort());
    });

  test('what was deleted for space is no finding, with the epoch before', async () => {
    const former = sealed([BLOCKS[0] ?? []], new Sealer(EPOCH));
    const end = checkpointsIn(former).at(-1)?.attributes as Record<string, unknown>;
    const previous = { epoch: EPOCH, size: 2, root: String(end['vcml.checkpoint.root']) };
    const later = sealed(BLOCKS.slice(1), new Sealer(OTHER_EPOCH, { reason: 'damaged', previous }));
    const all = witness([...exported(former), ...exported(later)]);
    const { findings } = await compared(write([undefined, ...later]), all);
    assert.deepEqual(
      findings.map(({ code }) => code),
      ['EPOCH_BEGUN'],
    );
  });

  test('the command answers in words, and fails for a forged journal', async () => {
    const all = witness(exported(soundTexts()));
    const dir = write(soundTexts());
    const good = await vcml('audit', '--witness', all, dir);
    assert.equal(good.code, 0, good.stdout + good.stderr);
    assert.match(good.stderr, /verified up to \S+ \(witnessed\)/);
    const bad = await vcml('audit', '--witness', all, write(rewritten()));
    assert.equal(bad.code, 1);
    assert.match(bad.stdout, /WITNESS_FORKED.*\n.*it was rewritten/);
    rmSync(dir, { recursive: true });
    const unread = await vcml('audit', '--witness', dir, write(soundTexts()));
    assert.match(unread.stderr, /the witness cannot be read/);
    assert.notEqual(unread.code, 0);
  });

  test('what cannot be compared is not called sound', async () => {
    const texts = soundTexts();
    const all = witness(exported(texts));
    const other = folder.write('copy.jsonl', Buffer.concat(texts));
    const store = 'clickhouse://reader@127.0.0.1:1/vcml';
    for (const [args, says] of [
      [[other, '--witness', all], /none is among the inputs: name the folder of the journal/],
      [[store, '--since', '1h', '--witness', all], /name its folder, and the store as --witness/],
      [[other, '--witness', 's3://a-bucket/x'], /s3:\/\/a-bucket\/x cannot be a witness: copy/],
    ] as const) {
      const { code, stderr } = await vcml('audit', ...args);
      assert.match(stderr, says);
      assert.equal(code, 64);
    }
    const whole = write(texts);
    const found = await opened([whole, other], async (journals) =>
      evidenceIn(journals, await readWitness([all], [whole], {})),
    );
    assert.deepEqual(
      found.findings.map(({ code, path }) => [code, path]),
      [['NOT_WITNESSED', other]],
    );
    const copy = folder.write('a-copy.jsonl', texts[0] ?? '');
    const one = join(whole, segment(1));
    const same = await opened([copy, one], async (journals) => evidenceIn(journals));
    assert.match(same.sentences.join(), /^\S+: verified up to \S+ by the checkpoints/);
  });
});
