import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Agent, program, runProgram, startAgent } from '../support/agent.ts';
import { ApiServer, answering } from '../support/api-server.ts';
import { startCollector } from '../support/otlp/collector.ts';
import { AGENT_BIN } from '../support/paths.ts';
import { samplesOf, scrape, sumOf, urlOf } from '../support/scrape.ts';
import { until } from '../support/until.ts';

const ON = ['--telemetry-address', '0'];

async function start(t: TestContext, ...args: readonly string[]): Promise<Agent> {
  const agent = await startAgent({ args });
  t.after(() => agent.close());
  return agent;
}

async function probe(agent: Agent, path: string): Promise<[number, string]> {
  const response = await fetch(await urlOf(agent, path));
  return [response.status, await response.text()];
}

/** The counts of the journal, from its lines. */
function counted(agent: Agent) {
  const records = agent.records();
  const execs = records.filter(({ action }) => action === 'exec');
  return {
    vcml_records_total: execs.length,
    vcml_gaps_total: execs.filter((one) => one.parent_cause === null).length,
    vcml_losses_total: records.filter(({ action }) => action === 'journal.loss').length,
    vcml_journal_written_bytes_total: agent.journal.lines.reduce(
      (sum, line) => sum + Buffer.byteLength(line) + 1,
      0,
    ),
  };
}

test('metrics agree with the journal before and after an exec storm', async (t) => {
  const agent = await start(t, ...ON);
  for (const seconds of ['0', '1']) {
    await runProgram('storm', '2', seconds, program('noop'));
    // Other programs execute all the time, so the journal is read before and after. Records count as soon
    // as they are made, and the disk may still take them.
    let wrong: readonly string[] = [];
    const samples = await until(
      () => `agree: ${wrong.join(', ')}`,
      async () => {
        const before = counted(agent);
        const now = await scrape(agent);
        const after = counted(agent);
        wrong = Object.entries(before).flatMap(([name, least]) => {
          const most = after[name as keyof typeof after];
          const value = sumOf(now, name);
          return least <= value && value <= most ? [] : [`${name}: ${least} ${value} ${most}`];
        });
        return wrong.length === 0 ? now : undefined;
      },
    );
    const [written, usage] = ['vcml_journal_written_bytes_total', 'vcml_journal_usage_bytes'];
    // One segment, nothing compressed; the file is ahead while a write has not returned.
    await until('as many bytes on disk as were written', async () => {
      const now = await scrape(agent);
      return now.get(written) === now.get(usage) || undefined;
    });
    ok(sumOf(samples, 'vcml_hook_execs_total') >= sumOf(samples, 'vcml_records_total'));
    equal(samples.get('vcml_ring_limit_bytes'), 32 << 20);
    equal(samples.get('vcml_journal_segments'), 1);
    equal(samples.get('vcml_journal_writable'), 1);
    equal(samples.has('vcml_metadata_available'), false, 'none is asked for');
    ok((samples.get('vcml_drain_turns_total') ?? 0) > 0);
    ok((samples.get('vcml_drain_time_seconds_total') ?? 0) > 0);
    ok((samples.get('vcml_journal_retention_seconds') ?? 0) > 0);
  }
});

test('deletions for space are losses of stage retention, and the journal stays within its limit', async (t) => {
  const sizes = ['--segment-max-bytes', '64KiB', '--journal-max-bytes', '256KiB'];
  const agent = await start(t, ...ON, ...sizes);
  const samples = await until('a loss by retention', async () => {
    await runProgram('storm', '2', '1', program('noop'));
    const now = await scrape(agent);
    return (now.get('vcml_losses_total{vcml_loss_stage="retention"}') ?? 0) > 0 ? now : undefined;
  });
  ok((samples.get('vcml_lost_records_total{vcml_loss_stage="retention"}') ?? 0) > 0);
  equal(samples.get('vcml_journal_limit_bytes'), 256 << 10);
  const { vcml_journal_written_bytes_total: written } = Object.fromEntries(samples);
  ok((samples.get('vcml_journal_usage_bytes') ?? 0) < (written ?? 0));
});

test('program runs are exported while the kernel counts them, and outlive the agent', async (t) => {
  const sysctl = '/proc/sys/kernel/bpf_stats_enabled';
  const before = readFileSync(sysctl, 'utf8');
  const agent = await start(t, ...ON);
  t.after(() => writeFileSync(sysctl, before));
  writeFileSync(sysctl, '1');
  await runProgram('storm', '2', '0', program('noop'));
  execFileSync(program('noop'));
  const name = 'vcml_bpf_runs_total{bpf_program_name="on_exec"}';
  const runs = (await scrape(agent)).get(name) ?? 0;
  ok(runs > 0);
  ok(
    (await scrape(agent)).get('vcml_bpf_recursion_misses_total{bpf_program_name="on_exec"}') === 0,
  );
  await agent.stop();
  agent.stderr = '';
  await agent.start();
  ok(((await scrape(agent)).get(name) ?? 0) >= runs);
});

test('a recording agent is alive and ready, and says so in JSON', async (t) => {
  const agent = await start(t, ...ON);
  await until('readiness', async () => (await probe(agent, '/readyz'))[0] === 200);
  const [status, body] = await probe(agent, '/readyz?verbose');
  deepEqual(
    [status, JSON.parse(body)],
    [
      200,
      {
        status: 'pass',
        checks: {
          hook: { status: 'pass', reason: 'armed' },
          journal: { status: 'pass', reason: 'writable' },
        },
      },
    ],
  );
  equal((await probe(agent, '/livez'))[0], 200);
  equal((await probe(agent, '/__proto__'))[0], 404);
  equal((await probe(agent, '/'))[0], 404);
  const posted = await fetch(await urlOf(agent, '/metrics'), { method: 'POST', body: 'x' });
  deepEqual([posted.status, posted.headers.get('allow')], [405, 'GET, HEAD']);
  equal((await fetch(await urlOf(agent, '/livez'), { method: 'HEAD' })).status, 200);
});

test('a full disk makes the agent unready with the reason, and not dead; space makes it ready again', async (t) => {
  const agent = new Agent({ args: ON });
  t.after(async () => {
    await agent.stop();
    execFileSync('umount', [agent.journalDir]);
    await agent.close();
  });
  mkdirSync(agent.journalDir, { mode: 0o700 });
  const mounted = ['-t', 'tmpfs', '-o', 'size=1m,mode=0700', 'tmpfs', agent.journalDir];
  execFileSync('mount', mounted);
  await agent.start();
  const [status, body] = await until('the refusal', async () => {
    await runProgram('storm', '2', '1', program('noop'));
    const answer = await probe(agent, '/readyz');
    return answer[0] === 503 ? answer : undefined;
  });
  equal(status, 503);
  const { checks } = JSON.parse(body);
  equal(checks.hook.status, 'pass');
  match(checks.journal.reason, /^cannot write to .*ENOSPC/);
  equal((await probe(agent, '/livez'))[0], 200);
  equal((await scrape(agent)).get('vcml_journal_writable'), 0);
  await runProgram('storm', '2', '5', program('noop')); // time for a second line
  const said = agent.stderr.split('\n').map((line) => line.replace(/"time":"[^"]+"/, ''));
  deepEqual(said, [...new Set(said)]);
  execFileSync('mount', ['-o', 'remount,size=512m', agent.journalDir]);
  await until('readiness', async () => (await probe(agent, '/readyz'))[0] === 200);
  equal((await scrape(agent)).get('vcml_journal_writable'), 1);
});

test('a collector that is down is counted, and makes the agent neither unready nor dead', async (t) => {
  const agent = await start(t, ...ON, '--export-endpoint', 'http://127.0.0.1:9');
  const failures = 'vcml_export_failures_total{rpc_response_status_code="UNAVAILABLE"}';
  const samples = await until('two failures', async () => {
    execFileSync(program('noop'));
    const now = await scrape(agent);
    return (now.get(failures) ?? 0) > 1 ? now : undefined;
  });
  equal(samples.get('vcml_export_records_total{vcml_export_outcome="exported"}'), 0);
  ok((samples.get('vcml_export_lag_time_seconds') ?? 0) > 0);
  await agent.stop();
  agent.stderr = '';
  await agent.start();
  const lag = await until('the lag', async () => {
    const [least, now] = [agent.records().length, await scrape(agent)];
    const waiting = now.get('vcml_export_lag_records');
    return waiting === undefined ? undefined : [least, waiting, agent.records().length];
  });
  deepEqual(
    [...lag].sort((a, b) => a - b),
    lag,
    'all that is in the journal waits, of both runs',
  );
  equal((await probe(agent, '/readyz'))[0], 200);
  equal((await probe(agent, '/livez'))[0], 200);
});

test('the metric of metadata is 0 while it is unavailable, and 1 when it returns', async (t) => {
  const api = new ApiServer(answering([]));
  t.after(() => api.close());
  await api.start();
  const access = ['--kubeconfig', api.kubeconfig, '--node-name', 'here'];
  const agent = await start(t, ...ON, '--metadata', 'apiserver', ...access);
  const reads = async (value: number) =>
    (await scrape(agent)).get('vcml_metadata_available') === value;
  await until('a watch', () => api.watches.size > 0);
  ok(await reads(1));
  await api.stop();
  await until('the end of it', () => reads(0));
  await api.start();
  await until('its return', () => reads(1));
});

test('exported records are counted one by one until none waits', async (t) => {
  const collector = await startCollector();
  t.after(() => collector.kill());
  const agent = await start(t, ...ON, '--export-endpoint', `http://127.0.0.1:${collector.port}`);
  await runProgram('storm', '2', '1', program('noop'));
  const exported = 'vcml_export_records_total{vcml_export_outcome="exported"}';
  const [least, samples] = await until('the end of the lag', async () => {
    const [before, now] = [agent.records().length, await scrape(agent)];
    return now.get('vcml_export_lag_records') === 0 ? ([before, now] as const) : undefined;
  });
  const value = samples.get(exported) ?? 0;
  ok(least <= value && value <= agent.records().length, `${least} <= ${value}`);
  equal(samples.get('vcml_export_lag_time_seconds'), 0);
  ok((samples.get('vcml_export_last_success_timestamp_seconds') ?? 0) > 1e9);
});

test('an agent that waits for the hook is alive and not ready', async (t) => {
  const agent = await start(t);
  const args = ['run', '--pin-dir', agent.pinDir, '--journal-dir', join(agent.directory, 'other')];
  const second = spawn(AGENT_BIN, [...args, ...ON, '--print', 'none'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(second, 'exit');
  t.after(() => second.kill('SIGKILL'));
  let stderr = '';
  second.stderr.on('data', (data) => (stderr += data));
  const address = await until('an address', () => /"address":"([^"]+)"/.exec(stderr)?.[1]);
  equal((await fetch(`http://${address}/livez`)).status, 200);
  const ready = await fetch(`http://${address}/readyz`);
  equal(ready.status, 503);
  match(await ready.text(), /the hook is not armed yet/);
  const samples = samplesOf(await (await fetch(`http://${address}/metrics`)).text());
  equal(samples.has('vcml_records_total'), false);
  second.kill('SIGTERM');
  await ended;
  equal(existsSync(join(agent.directory, 'other')), false);
});

test('a port in use does not stop the agent, is logged once, and is opened once it is free', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  const agent = await start(t, '--telemetry-address', `127.0.0.1:${port}`);
  await until('the warning', () => /"telemetry.listen_failed"/.test(agent.stderr));
  await agent.journal.waitFor('an exec', () => {
    execFileSync(program('noop'));
    return agent.records().find(({ action }) => action === 'exec');
  });
  other.close();
  equal((await probe(agent, '/livez'))[0], 200);
  equal(agent.stderr.match(/"telemetry.listen_failed"/g)?.length, 1);
});

/** Probes as the kubelet does with the chart's settings: from another address, three times at most. */
async function probedFromElsewhere(url: string): Promise<number | undefined> {
  const options = { localAddress: '127.0.0.9', agent: false, timeout: 5000 };
  for (let attempt = 0; attempt < 3; attempt++) {
    const { promise, resolve } = Promise.withResolvers<number | undefined>();
    const asked = request(url, options, (response) => resolve(response.resume().statusCode));
    asked.on('timeout', () => asked.destroy()).on('error', () => resolve(undefined));
    asked.end();
    const status = await promise;
    if (status !== undefined) return status;
  }
  return undefined;
}

// A pod has one address, and many pods have many.
for (const sources of ['0', '60', '1000'])
  test(`a flood of idle connections from ${sources === '0' ? 'one address' : `${sources} addresses`} to both ports keeps no probe out`, async (t) => {
    const agent = await start(t, ...ON, '--probe-address', '0');
    const [metrics, own] = [await urlOf(agent, ''), await urlOf(agent, '', { probes: true })];
    const ports = [metrics, own].map((url) => new URL(url).port);
    const args = ['127.0.0.1', sources, '500', ...ports];
    const flood = spawn(program('hold'), args, { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => flood.kill());
    await once(flood.stdout, 'data');
    for (let n = 0; n < 20; n++)
      for (const path of ['/livez', '/readyz'])
        equal(await probedFromElsewhere(`${own}${path}`), 200, path);
    equal(await probedFromElsewhere(`${own}/metrics`), 404);
    equal(flood.exitCode, null);
  });

test('without an address nothing listens', async (t) => {
  const agent = await start(t);
  await agent.journal.waitFor('an exec', () => {
    execFileSync(program('noop'));
    return agent.records().find(({ action }) => action === 'exec');
  });
  equal(execFileSync('ss', ['-ltnpH'], { encoding: 'utf8' }).includes(`pid=${agent.pid},`), false);
});

test('the log has as many lines with ten thousand records as with few', async (t) => {
  const agent = await start(t, ...ON, '--log-level', 'debug');
  await urlOf(agent, '/');
  const lines = () => agent.stderr.split('\n').length;
  await runProgram('storm', '2', '0', program('noop'));
  const before = lines();
  await until('ten thousand records', async () => {
    await runProgram('storm', '2', '1', program('noop'));
    await scrape(agent);
    return agent.records().length > 10_000;
  });
  equal(lines(), before, agent.stderr);
});
