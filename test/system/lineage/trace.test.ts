import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Graph } from '../../../forensics/graph.ts';
import { causedByTrace } from '../../../forensics/select/caused-by-trace.ts';
import { TRACE_COLUMNS } from '../../../forensics/select/of-trace.ts';
import { judge } from '../../check/check.ts';
import { type Agent, program, runProgram, startAgent } from '../../support/agent.ts';
import { opened, vcml } from '../../support/forensics.ts';
import type { JournalLine } from '../../support/journal/followed-journal.ts';

const CALLS = 1000;
const AT_ONCE = 16;
const NOOP = program('noop');
const SECRET = 'hunter2hunter2';
const TRACE_KEYS = ['vcml.trace.trace_id', 'vcml.trace.span_id', 'vcml.trace.flags'];
const CONFIGURED = ['--trace-context', 'environment', '--environment', 'CI_JOB DB_PASSWORD'];
const run = promisify(execFile);

const traceOf = (call: number) => `${(call + 1).toString(16).padStart(8, '0')}${'c1'.repeat(12)}`;
const markOf = (call: number) => `call:${call}:`;

/** What one call runs, as a step of a pipeline or a tool of an agent would; the mark is in all of it. */
function scriptOf(mark: string): string {
  return [
    `${NOOP} ${mark} keeps &`,
    `env -i ${NOOP} ${mark} emptied`,
    `(unset TRACEPARENT; setsid ${NOOP} ${mark} detached)`,
    `TRACEPARENT=00-invalid ${NOOP} ${mark} invalid`,
    // A daemon, whose parent has ended.
    `(env -i /bin/sh -c 'exec ${NOOP} ${mark} orphan' &)`,
    'wait',
  ].join('\n');
}

/** The execs of one call. */
const EXECS_OF_CALL = 10;

async function call(number: number): Promise<void> {
  const env = {
    PATH: '/usr/bin:/bin',
    TRACEPARENT: `00-${traceOf(number)}-00f067aa0ba902b7-01`,
    CI_JOB: `job ${number}`,
    DB_PASSWORD: SECRET,
  };
  await run('/bin/sh', ['-c', scriptOf(markOf(number))], { env });
}

function marked(records: readonly JournalLine[], mark: string): readonly JournalLine[] {
  return records.filter(({ attributes }) =>
    String(attributes['process.command_args']).includes(mark),
  );
}

function variablesOf({ attributes }: JournalLine): Record<string, unknown> {
  const names = Object.keys(attributes).filter((key) => key.startsWith('process.environment_v'));
  return Object.fromEntries(names.map((name) => [name.split('.').at(-1), attributes[name]]));
}

test('a trace finds every exec that 1,000 calls caused, and no other one', async (t) => {
  const agent = await startAgent({ args: CONFIGURED });
  t.after(() => agent.close());
  let next = 0;
  const worker = async () => {
    for (let at = next++; at < CALLS; at = next++) {
      await call(at);
      // Of the same runner, and without a trace.
      if (at % 10 === 0) spawnSync(NOOP, [`between:${at}`], { env: {} });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  await agent.journal.waitFor('all execs', (records) => {
    const count = marked(records, 'call:').length;
    return count === CALLS * EXECS_OF_CALL ? count : undefined;
  });
  assert.equal(await agent.stop(), 0, agent.stderr);
  const records = agent.records();
  assert.deepEqual(judge(agent.journal.lines).findings.slice(0, 10), []);
  const expected = Map.groupBy(marked(records, 'call:'), ({ attributes }) => {
    const [, number = ''] = /call:(\d+):/.exec(String(attributes['process.command_args'])) ?? [];
    return traceOf(Number(number));
  });
  assert.equal(expected.size, CALLS);
  await opened([agent.journalDir], async (journals) => {
    const graph = await Graph.load(journals, TRACE_COLUMNS);
    for (const [trace, own] of expected) {
      const rows = await causedByTrace(journals, graph, trace, 'true');
      const found = [...rows].toSorted((a, b) => a - b).map((row) => records[row]?.id);
      assert.deepEqual(
        found,
        own.map(({ id }) => id),
        trace,
      );
    }
  });
  for (const number of [0, CALLS / 2, CALLS - 1]) {
    const own = expected.get(traceOf(number)) ?? [];
    const asked = ['--trace', traceOf(number), '--output', 'jsonl', agent.journalDir];
    for (const command of ['query', 'tree']) {
      const { stdout, stderr } = await vcml(command, ...asked);
      const ids = stdout.split('\n').flatMap((line) => (line ? [String(JSON.parse(line).id)] : []));
      assert.deepEqual(ids.toSorted(), own.map(({ id }) => id).toSorted(), stderr);
    }
    const [shell, ...effects] = own;
    assert.deepEqual(
      TRACE_KEYS.map((key) => shell?.attributes[key]),
      [traceOf(number), '00f067aa0ba902b7', 1],
    );
    const without = effects.filter(({ attributes }) => !('vcml.trace.trace_id' in attributes));
    assert.equal(without.length, 6);
    const [keeps] = effects.filter(({ attributes }) =>
      `${attributes['process.command_args']}`.endsWith(',keeps'),
    );
    assert.ok(keeps);
    assert.deepEqual(variablesOf(keeps), { CI_JOB: `job ${number}`, DB_PASSWORD: '[redacted]' });
  }
  assert.ok(!agent.journal.lines.some((line) => line.includes(SECRET)));
});

test('with the defaults no record has anything of it; a restart of the agent changes that', async (t) => {
  const agent = await startAgent();
  t.after(() => agent.close());
  await call(0);
  await agent.journal.marked('call:0: detached');
  assert.ok(!agent.journal.lines.some((line) => /vcml\.trace|environment_/.test(line)));
  assert.equal(await agent.stop(), 0, agent.stderr);
  // The hook is kept, and nobody has asked it yet.
  await call(1);
  const { attributes } = await agent.start(...CONFIGURED);
  assert.equal(attributes['vcml.hook.state'], 'resumed');
  const unsearched = await agent.journal.marked('call:1: keeps');
  assert.deepEqual(environmentOf(unsearched), ['vcml.process.environment_truncated']);
  await call(2);
  const { attributes: traced } = await agent.journal.marked('call:2: keeps');
  assert.equal(traced['vcml.trace.trace_id'], traceOf(2));
  assert.equal(await agent.stop(), 0, agent.stderr);
  await agent.start();
  await call(3);
  assert.deepEqual(environmentOf(await agent.journal.marked('call:3: keeps')), []);
});

test('above half of the ring an exec has no trace, and record and reader say so', async (t) => {
  const agent = await startAgent({ args: ['--ring-size', '1MiB', ...CONFIGURED] });
  t.after(() => agent.close());
  process.kill(agent.pid, 'SIGSTOP');
  await runProgram('load', 'storm', '75', '8000');
  await call(0);
  process.kill(agent.pid, 'SIGCONT');
  const crowded = await agent.journal.marked('call:0: keeps');
  assert.deepEqual(environmentOf(crowded), ['vcml.process.environment_truncated']);
  assert.equal(await agent.stop(), 0, agent.stderr);
  const { code, stderr } = await vcml('query', '--trace', traceOf(0), agent.journalDir);
  assert.equal(code, 0);
  assert.match(stderr, /--trace \w+: 0 execs with it, and 0 more that they caused/);
  assert.match(stderr, /\d+ execs may have a trace that is not recorded: environment truncated/);
});

test('a long environment is searched at its ends, and says that it was cut', async (t) => {
  const agent = await startAgent({ args: CONFIGURED });
  t.after(() => agent.close());
  const trace = { TRACEPARENT: `00-${traceOf(7)}-00f067aa0ba902b7-01` };
  const long = { LONG: 'x'.repeat(5000) };
  const found = await recordOf(agent, 'long:end', { ...long, ...trace });
  assert.deepEqual(environmentOf(found), [...TRACE_KEYS, 'vcml.process.environment_truncated']);
  const missed = await recordOf(agent, 'long:middle', { ...long, ...trace, LATER: long.LONG });
  assert.deepEqual(environmentOf(missed), ['vcml.process.environment_truncated']);
});

async function recordOf(agent: Agent, marker: string, env: NodeJS.ProcessEnv) {
  spawnSync(NOOP, [marker], { env });
  return agent.journal.marked(marker);
}

/** The keys of what a record says of its environment. */
function environmentOf({ attributes }: JournalLine): string[] {
  return Object.keys(attributes).filter((key) => /^vcml\.trace\.|environment_/.test(key));
}
