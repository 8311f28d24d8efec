import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Agent } from './agent.ts';
import { daemonSet, refusal, withServer } from './enrich/daemon-set.ts';

const BIN = join(import.meta.dirname, '../bin/vcml-agent');

test('whenUninstalled: the hook stays while the DaemonSet is there, and goes with it', async (t) => {
  await withServer(async (server) => {
    process.env.POD_NAMESPACE = 'watchers';
    process.env.POD_NAME = 'agent-x2x';
    const agent = new Agent({
      args: ['--on-exit', 'whenUninstalled', '--kubeconfig', server.kubeconfig],
    });
    t.after(() => agent.close());
    await agent.start();
    assert.equal(await agent.stop(), 0, agent.stderr);
    assert.ok(existsSync(agent.pinDir));
    assert.equal(lastState(agent), 'kept');

    await agent.start();
    server.daemonSet = refusal(503, 'ServiceUnavailable');
    assert.equal(await agent.stop(), 0, agent.stderr);
    assert.equal(lastState(agent), 'kept');
    assert.match(agent.stderr, /ServiceUnavailable/);

    server.daemonSet = daemonSet();
    await agent.start();
    server.daemonSet = refusal(404, 'NotFound');
    assert.equal(await agent.stop(), 0, agent.stderr);
    assert.ok(!existsSync(agent.pinDir));
    assert.equal(lastState(agent), 'detached');
    assert.match(agent.stderr, /DaemonSet watchers\/agent is gone/);
  });
});

test('whenUninstalled without the pod’s name ends the agent with 78 and says what to set', (t) => {
  const agent = new Agent({});
  t.after(() => agent.close());
  const where = ['--journal-dir', agent.journalDir, '--pin-dir', agent.pinDir];
  const { POD_NAME, ...env } = process.env;
  const { status, stderr } = spawnSync(BIN, ['run', ...where, '--on-exit', 'whenUninstalled'], {
    ...{ encoding: 'utf8', timeout: 60_000, env: { ...env, POD_NAMESPACE: 'watchers' } },
  });
  assert.equal(status, 78, stderr);
  assert.match(stderr, /POD_NAME and POD_NAMESPACE.*metadata\.name and metadata\.namespace/);
  assert.ok(!existsSync(agent.pinDir) && !existsSync(agent.journalDir));
});

function lastState(agent: Agent): unknown {
  return agent.records().at(-1)?.attributes['vcml.hook.state'];
}
