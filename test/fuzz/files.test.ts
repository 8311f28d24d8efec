import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { statusText } from '../../agent/commands/status.ts';
import { type Status, statusOf } from '../../agent/commands/status-of.ts';
import { loadConfig } from '../../agent/config/load.ts';
import type { Config } from '../../agent/config/schema.ts';
import { AgentError } from '../../agent/errors.ts';
import { readContinuity } from '../../agent/run/session/resume.ts';
import { ancestorOf, loadSnapshot } from '../../agent/source/ancestors.ts';
import { segmentName } from '../support/journal/segment-name.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { fuzz } from './fuzz.ts';

const dir = temporaryFolder();

const CONFIGURATION = `# of a node
journalDir: /var/lib/vcml-agent/journal
print: none
ringSize: 64MiB
quietAfter: 15m
redactNames: [pin, "db-pin"]
redactPatterns:
  - acme_[A-Za-z0-9]{20,}
nodeName: &name node-1
`;

test('a damaged configuration is used, or refused as bad configuration; nothing else', async () => {
  const file = join(dir, 'config.yaml');
  await fuzz(async (random) => {
    writeFileSync(file, random.damaged(Buffer.from(CONFIGURATION)));
    try {
      const { config } = await loadConfig({ flags: {}, env: {}, file });
      assert.equal(typeof config.ringSize, 'number');
    } catch (error) {
      assert.ok(error instanceof AgentError && error.code === 'CONFIGURATION_INVALID', `${error}`);
    }
  });
});

const ANCESTORS = Buffer.from(
  JSON.stringify({ hookId: '5', snapshot: { 1: [10, 'init', '/sbin/init'], 42: [77] } }),
);

test('damaged ancestors are names, or none', () =>
  fuzz((random) => {
    const file = join(dir, 'ancestors.json');
    writeFileSync(file, random.damaged(ANCESTORS));
    const snapshot = loadSnapshot(file, '5');
    for (const pid of [1, 42]) {
      const found = ancestorOf(snapshot, pid, { seconds: 0, nanos: 100_000_000 });
      for (const text of Object.values(found ?? {})) assert.equal(typeof text, 'string');
    }
  }));

const STATE = Buffer.from(
  JSON.stringify({
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
  }),
);
const LINE = JSON.stringify({
  action: 'exec',
  resource: {},
  attributes: { 'vcml.boot.id': 'boot', 'vcml.hook.id': '5', 'vcml.cpu': 0, 'vcml.seq': 6 },
});
const LOSS = JSON.stringify({
  action: 'journal.loss',
  attributes: {
    'vcml.boot.id': 'boot',
    'vcml.hook.id': '5',
    'vcml.loss.stage': 'ring_buffer',
    'vcml.loss.hook_id': '5',
    'vcml.loss.cpu': 0,
    'vcml.loss.first_seq': 7,
    'vcml.loss.last_seq': 9,
  },
});

test('a damaged state.json and a damaged journal give numbers to go on with, or none', () =>
  fuzz((random) => {
    const lines = Buffer.from(`${LINE}\n${LOSS}\n${LINE}\n`);
    writeFileSync(join(dir, segmentName(1)), random.damaged(lines));
    writeFileSync(join(dir, 'state.json'), random.below(2) === 0 ? STATE : random.damaged(STATE));
    const { nextSeq, kernelMisses } = readContinuity(dir, assert.fail, 'boot');
    for (const number of nextSeq) assert.ok(number === undefined || number >= 0, `${number}`);
    assert.ok(kernelMisses >= 0);
  }));

test('status shows a damaged state.json in lines that a terminal obeys nothing in', () =>
  fuzz((random) => {
    writeFileSync(join(dir, 'state.json'), random.damaged(hostile(STATE)));
    const config = { journalDir: dir, pinDir: join(dir, 'none') } as Config;
    const text = statusText(statusOf(config) as Status, Date.now());
    assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{C}\u2028\u2029]/u);
  }));

/** Each of its strings with what a terminal would obey. */
function hostile(state: Buffer): Buffer {
  const json = JSON.stringify(JSON.parse(state.toString()), (_, value) =>
    typeof value === 'string' ? `${value}\u001b[2J\u009b31m\u202e\u2066` : value,
  );
  return Buffer.from(json);
}
