import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { judge } from '../check/check.ts';
import { type Agent, runProgram, startAgent } from '../support/agent.ts';
import type { JournalLine } from '../support/journal/followed-journal.ts';

const SECRET = 'known-only-to-this-test';
const RUN = ['--redact-names', 'gate', '--cluster-name', 'blue', '--segment-max-bytes', '64KiB'];
const REDACTED = '--gate=[redacted] detach:unread';

test('detach writes unread records with the options that the hook was run with', async (t) => {
  const agent = await withUnread(t, ...RUN, '--journal-max-bytes', '8MiB');
  const { status, output } = detachFrom(agent);
  equal(status, 0, output);
  const record = await agent.journal.marked(REDACTED);
  deepEqual(
    [record.resource['k8s.cluster.name'], record.resource['host.name']],
    ['blue', 'test-node'],
  );
  deepEqual(filesWith(agent, SECRET), []);
  deepEqual(judge(agent.journal.lines).findings, []);
});

test('detach records no arguments if the run recorded none', async (t) => {
  const agent = await withUnread(t, '--arguments', 'none');
  const { status, output } = detachFrom(agent);
  equal(status, 0, output);
  const noops = await agent.journal.waitFor('the record', noopsIn);
  equal(noops.length, 1);
  ok(!('process.command_args' in (noops[0]?.attributes ?? {})));
  deepEqual(filesWith(agent, SECRET), []);
});

test('an option that is given to detach takes precedence', async (t) => {
  const agent = await withUnread(t, ...RUN);
  const { status, output } = detachFrom(agent, '--cluster-name', 'green');
  equal(status, 0, output);
  equal((await agent.journal.marked(REDACTED)).resource['k8s.cluster.name'], 'green');
});

for (const [what, damage] of [
  ['are missing', (file: string) => rmSync(file)],
  ['are damaged', (file: string) => writeFileSync(file, '{"hookId":')],
  [
    'are of another hook',
    (file: string) =>
      writeFileSync(file, readFileSync(file, 'utf8').replace(/"hookId":"\d/, '$&9')),
  ],
] as const)
  test(`detach refuses if the options of the run ${what}, until they are given`, async (t) => {
    const agent = await withUnread(t, ...RUN);
    damage(join(agent.journalDir, 'run-options.json'));
    const refused = detachFrom(agent);
    equal(refused.status, 78);
    match(refused.output, /does not have the options .* and in any case --arguments; .*--discard/);
    equal(detachFrom(agent, '--redact-names', 'gate').status, 78);
    const { status, output } = detachFrom(
      agent,
      '--arguments',
      'redacted',
      '--redact-names',
      'gate',
    );
    equal(status, 0, output);
    await agent.journal.marked(REDACTED);
    deepEqual(filesWith(agent, SECRET), []);
  });

test('the options of the latest run are kept', async (t) => {
  const agent = await withUnread(t, ...RUN);
  const file = join(agent.journalDir, 'run-options.json');
  const earlier = readFileSync(file, 'utf8');
  await agent.start('--cluster-name', 'red');
  await agent.stop();
  ok(readFileSync(file, 'utf8') !== earlier);
  match(readFileSync(file, 'utf8'), /"clusterName":"red"/);
});

/** An agent that was killed, and an exec with a secret that nobody has read. */
async function withUnread(t: TestContext, ...args: readonly string[]): Promise<Agent> {
  const agent = await startAgent({ args });
  t.after(() => agent.close());
  await agent.kill();
  await runProgram('noop', `--gate=${SECRET}`, 'detach:unread');
  return agent;
}

function detachFrom(agent: Agent, ...args: readonly string[]) {
  return agent.detach('--journal-dir', agent.journalDir, ...args);
}

function noopsIn(records: readonly JournalLine[]): readonly JournalLine[] | undefined {
  const noops = records.filter(({ actor }) => actor.comm === 'noop');
  return noops.length > 0 ? noops : undefined;
}

function filesWith({ journalDir }: Agent, text: string): string[] {
  return readdirSync(journalDir).filter((name) =>
    readFileSync(join(journalDir, name)).includes(text),
  );
}
