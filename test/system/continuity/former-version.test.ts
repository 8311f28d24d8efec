import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { judge } from '../../check/check.ts';
import { program, startAgent } from '../../support/agent.ts';
import { vcml } from '../../support/forensics.ts';
import { formerVersion, whyNoFormerVersion } from '../../support/former-version.ts';
import { judgeCheckpoints } from '../../support/journal/judge-checkpoints.ts';
import { segmentTexts } from '../../support/journal/read-lines.ts';
import { startStorm } from './storm.ts';

/** 0.1.0 did not know the place of an exec whose cgroup was gone. */
const NO_CGROUP = 'no process.linux.cgroup';
const ROUNDS = 6;

test('an upgrade from 0.1.0 and a downgrade to it under a storm miss no exec, double none and link each', async (t) => {
  const reason = whyNoFormerVersion();
  if (reason) return t.skip(reason);
  const agent = await startAgent();
  t.after(() => agent.close());
  const [present, former] = [agent.bin, join(formerVersion(), 'bin/vcml-agent')];
  // It begins with 0.1.0, whose hook makes the tables.
  assert.equal(await agent.stop(), 0, agent.stderr);
  assert.equal(agent.detach('--journal-dir', agent.journalDir).status, 0);
  agent.bin = former;
  await agent.start();

  const storm = startStorm(agent, 12);
  const shell = spawn('sh', ['-s', 'former:before'], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => shell.kill());
  const before = await agent.journal.marked('-s former:before');
  for (let round = 0; round < ROUNDS; round++) {
    await sleep(500 + Math.random() * 1000);
    if (round % 3 === 2) await agent.kill();
    else assert.equal(await agent.stop(), 0, agent.stderr);
    shell.stdin.write(`${program('noop')} former:${round}; echo\n`);
    await once(shell.stdout, 'data');
    agent.bin = round % 2 === 0 ? present : former;
    const start = await agent.start();
    assert.equal(start.attributes['vcml.hook.state'], 'upgraded');
    assert.equal(start.attributes['vcml.hook.id'], before.attributes['vcml.hook.id']);
  }
  const execs = await storm.end();
  assert.equal(await agent.stop(), 0, agent.stderr);

  const records = agent.records();
  assert.deepEqual(
    records.filter(({ action }) => action === 'journal.loss'),
    [],
  );
  for (let round = 0; round < ROUNDS; round++)
    assert.equal((await agent.journal.marked(`former:${round}`)).parent_cause, before.id);
  const noops = records.filter(({ object }) => object === storm.noop);
  assert.equal(noops.length, execs);
  const [starter, ...others] = records.filter(({ object }) => object === program('storm'));
  assert.deepEqual(others, []);
  assert.deepEqual([...new Set(noops.map(({ parent_cause }) => parent_cause))], [starter?.id]);
  const findings = judge(agent.journal.lines).findings.filter(
    ({ message }) => message !== NO_CGROUP,
  );
  assert.deepEqual(findings, []);
  const { problems, checkpoints } = judgeCheckpoints(segmentTexts(agent.journalDir));
  assert.deepEqual(problems, []);
  assert.deepEqual(
    [...new Set(checkpoints.map((one) => one['vcml.checkpoint.reason']))],
    ['new', undefined],
  );
  const { code, stdout } = await vcml('audit', agent.journalDir);
  assert.equal(code, 0, stdout);
  // The audit of 0.1.0 reads all of it, and finds what docs/support.md says and nothing else.
  const { stdout: found } = spawnSync(former.replace(/-agent$/, ''), ['audit', agent.journalDir], {
    encoding: 'utf8',
  });
  assert.match(found, new RegExp(`^findings: ${agent.journal.lines.length} lines `, 'm'));
  const codes = Array.from(found.matchAll(/^(?:FAIL|WARN) (\w+)/gm), ([, code]) => code);
  const known = ['RUN_AFTER_STOP', 'RUN_COUNTS', 'CONTAINER'];
  assert.deepEqual(
    codes.filter((code) => !known.includes(`${code}`)),
    [],
    found,
  );
});
