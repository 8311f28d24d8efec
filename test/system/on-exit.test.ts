import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { daemonSet, refusal, type Server, withServer } from '../kube/daemon-set.ts';
import { Agent } from '../support/agent.ts';
import { AGENT_BIN } from '../support/paths.ts';
import { until } from '../support/until.ts';

/** An agent in the pod of the server's DaemonSet, which asks the server at its end. */
function podsAgent(t: TestContext, server: Server, ...more: readonly string[]): Agent {
  process.env.POD_NAMESPACE = 'watchers';
  process.env.POD_NAME = 'agent-x2x';
  const args = ['--on-exit', 'whenUninstalled', '--kubeconfig', server.kubeconfig, ...more];
  const agent = new Agent({ args });
  t.after(() => agent.close());
  return agent;
}

test('whenUninstalled: the hook stays while the DaemonSet exists, and is removed after it is deleted', async (t) => {
  await withServer(async (server) => {
    const agent = podsAgent(t, server);
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

test('journalOnUninstall: the journal is deleted with the DaemonSet, and stays at any other end', async (t) => {
  await withServer(async (server) => {
    const agent = podsAgent(t, server, '--journal-on-uninstall', 'delete');
    for (const said of [
      daemonSet(),
      refusal(503, 'ServiceUnavailable'),
      // an upgrade may also remove the right
      refusal(403, 'Forbidden'),
      daemonSet({ uid: 'uid-2' }),
    ]) {
      await agent.start();
      await until('a watch', () => server.watches.size > 0);
      server.daemonSet = said;
      assert.equal(await agent.stop(), 0, agent.stderr);
      assert.equal(agent.records().at(-2)?.action, 'journal.stop');
      server.daemonSet = daemonSet();
      server.watches.clear();
    }

    const outside = join(agent.directory, 'outside');
    const link = join(agent.journalDir, '00000000000000000099.jsonl.zst');
    writeFileSync(outside, 'somebody’s');
    await agent.start();
    symlinkSync(outside, link);
    writeFileSync(join(agent.journalDir, 'notes.txt'), 'somebody’s');
    for (const name of ['dead-letters.jsonl', 'export-cursor.json', 'deletions.json.tmp'])
      writeFileSync(join(agent.journalDir, name), '');
    server.daemonSet = refusal(404, 'NotFound');
    assert.equal(await agent.stop(), 0, agent.stderr);
    assert.ok(!existsSync(agent.pinDir));
    const left = readdirSync(agent.journalDir).sort();
    assert.deepEqual(left, ['00000000000000000099.jsonl.zst', 'notes.txt']);
    assert.equal(readFileSync(outside, 'utf8'), 'somebody’s');
    assert.match(agent.stderr, /journal deleted; its folder stays because it holds other files/);
  });
});

test('whenUninstalled: an agent that is stopped before it begins removes what an earlier one left', async (t) => {
  await withServer(async (server) => {
    process.env.POD_NAMESPACE = 'watchers';
    process.env.POD_NAME = 'agent-x2x';
    const agent = new Agent({});
    t.after(() => agent.close());
    await agent.start();
    await agent.kill();
    assert.ok(existsSync(agent.pinDir));
    server.daemonSet = refusal(404, 'NotFound');
    // It waits for its configuration, which is a pipe, when the signal arrives.
    const pipe = join(agent.directory, 'config.yaml');
    execFileSync('mkfifo', [pipe]);
    const where = ['--journal-dir', agent.journalDir, '--pin-dir', agent.pinDir, '--config', pipe];
    const child = spawn(AGENT_BIN, ['run', ...where], { stdio: ['ignore', 'ignore', 'inherit'] });
    const ended = once(child, 'exit');
    const writer = await open(pipe, 'w');
    child.kill();
    await writer.writeFile(`onExit: whenUninstalled\nkubeconfig: ${server.kubeconfig}\n`);
    await writer.close();
    assert.deepEqual(await ended, [0, null]);
    assert.equal(lastState(agent), 'detached');
    assert.ok(!existsSync(agent.pinDir));
  });
});

test('journalOnUninstall: a folder with nothing else in it is removed', async (t) => {
  await withServer(async (server) => {
    const agent = podsAgent(t, server, '--journal-on-uninstall', 'delete');
    await agent.start();
    server.daemonSet = refusal(404, 'NotFound');
    assert.equal(await agent.stop(), 0, agent.stderr);
    assert.ok(!existsSync(agent.pinDir) && !existsSync(agent.journalDir));
    assert.ok(existsSync(dirname(agent.journalDir)));
  });
});

test('journalOnUninstall is refused unless onExit is whenUninstalled', (t) => {
  const agent = new Agent({});
  t.after(() => agent.close());
  const args = ['--journal-dir', agent.journalDir, '--journal-on-uninstall', 'delete'];
  const { status, stderr } = spawnSync(AGENT_BIN, ['run', ...args], { encoding: 'utf8' });
  assert.equal(status, 78, stderr);
  assert.match(stderr, /journalOnUninstall .*needs onExit to be whenUninstalled/);
});

test('whenUninstalled without the pod’s name ends the agent with 78 and says what to set', (t) => {
  const agent = new Agent({});
  t.after(() => agent.close());
  const where = ['--journal-dir', agent.journalDir, '--pin-dir', agent.pinDir];
  const { POD_NAME, ...env } = process.env;
  const { status, stderr } = spawnSync(
    AGENT_BIN,
    ['run', ...where, '--on-exit', 'whenUninstalled'],
    {
      encoding: 'utf8',
      timeout: 60_000,
      env: { ...env, POD_NAMESPACE: 'watchers' },
    },
  );
  assert.equal(status, 78, stderr);
  assert.match(stderr, /POD_NAME and POD_NAMESPACE.*metadata\.name and metadata\.namespace/);
  assert.ok(!existsSync(agent.pinDir) && !existsSync(agent.journalDir));
});

function lastState(agent: Agent): unknown {
  return agent.records().findLast(({ action }) => action === 'journal.stop')?.attributes[
    'vcml.hook.state'
  ];
}
