import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { program, startAgent } from '../../support/agent.ts';
import { segmentName } from '../../support/journal/segment-name.ts';
import { until } from '../../support/until.ts';

const FIRST = `${segmentName(1)}.zst`;

for (const [what, damage] of [
  ['damaged', (file: string) => writeFileSync(file, 'damaged')],
  ['removed', (file: string) => rmSync(file)],
] as const)
  test(`a child of a record in a ${what} segment is a gap after a start without checkpoints`, async (t) => {
    const agent = await startAgent({ args: ['--segment-max-bytes', '64KiB'] });
    t.after(() => agent.close());
    const shell = spawn('sh', ['-s', 'unreadable:parent'], { stdio: ['pipe', 'pipe', 'inherit'] });
    t.after(() => shell.kill());
    await agent.journal.marked('-s unreadable:parent');
    const first = join(agent.journalDir, FIRST);
    await until('a compressed segment', () => {
      for (let n = 0; n < 50; n++) execFileSync(program('noop'), [`unreadable:${n}`]);
      return existsSync(first);
    });
    agent.records();
    await agent.kill();
    damage(first);
    for (const name of ['state.json', 'checkpoint.json'])
      rmSync(join(agent.journalDir, name), { force: true });
    await agent.start();
    const script = `${program('noop')} unreadable:grandchild; :`;
    shell.stdin.end(`sh -c '${script}' unreadable:child\n`);
    const child = await agent.journal.marked(`-c ${script} unreadable:child`);
    assert.equal(child.parent_cause, null);
    assert.equal(child.attributes['vcml.gap.reason'], 'untracked');
    const grandchild = await agent.journal.marked('unreadable:grandchild');
    assert.equal(grandchild.parent_cause, child.id);
    const said = agent.stderr.includes('"event":"journal.segment_unreadable"');
    assert.equal(said, what === 'damaged');
    assert.equal(await agent.stop(), 0, agent.stderr);
  });
