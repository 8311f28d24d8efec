import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { judge } from '../../check/check.ts';
import { JournalReader } from '../../check/read.ts';
import { program, startAgent } from '../../support/agent.ts';
import { audited } from '../../support/forensics.ts';
import { segmentName } from '../../support/journal/segment-name.ts';
import { VCML_BIN } from '../../support/paths.ts';
import { until } from '../../support/until.ts';

const SMALL = ['--segment-max-bytes', '64KiB', '--journal-max-bytes', '256KiB'];
const FIRST = `${segmentName(1)}.zst`;

test('a damaged segment that is deleted for space is a loss, which readers accept and do not hide', async (t) => {
  const agent = await startAgent({ args: SMALL });
  t.after(() => agent.close());
  const first = join(agent.journalDir, FIRST);
  const execs = () => {
    for (let n = 0; n < 50; n++) execFileSync(program('noop'), [`damaged:${n}`]);
  };
  const second = join(agent.journalDir, segmentName(2));
  for (; !existsSync(second); await pause(100)) execs();
  await until('a compressed segment', () => existsSync(first));
  writeFileSync(first, 'damaged');
  for (; existsSync(first); await pause(100)) execs();
  for (; existsSync(join(agent.journalDir, 'deletions.json')); await pause(100)) execs();
  assert.equal(await agent.stop(), 0, agent.stderr);
  const lines = [...new JournalReader(agent.journalDir).lines()];
  const unknown = lines.filter((line) =>
    /"vcml.loss.stage":"retention","vcml.loss.hook_id":"\d+"}}$/.test(line),
  );
  assert.equal(unknown.length, 1);
  assert.deepEqual(judge(lines).findings, []);
  const audit = await audited(agent.journalDir);
  assert.deepEqual(
    audit.filter(({ severity }) => severity !== 'NOTE'),
    [],
  );
  const { stderr } = spawnSync(VCML_BIN, ['gaps', agent.journalDir], { encoding: 'utf8' });
  assert.match(stderr, /complete: 0 of 1 node; 1 with losses/);
});
