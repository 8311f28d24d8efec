import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import type { JournalLine } from '../../support/journal/followed-journal.ts';
import { VCML_BIN } from '../../support/paths.ts';
import type { Cluster } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import { container, type PodObject, pod, waitForPhase } from '../pods.ts';
import type { Release } from './release.ts';

const PROGRAM = '/programs/noop';

/** Starts a pod that executes a program all the time, at a pace at which the ring holds a minute of it. */
export async function startStorm(cluster: Cluster): Promise<void> {
  const some = `for n in 0 1 2 3 4 5 6 7 8 9; do ${PROGRAM} storm $i; i=$((i + 1)); done`;
  const loop = `while [ ! -e /tmp/stop ]; do ${some}; sleep 0.01; done; echo $i`;
  await cluster.apply(pod('storm', [container('main', ['sh', '-c', `i=0; ${loop}`])]));
  await waitForPhase(cluster, 'Running', 'storm');
}

/**
 * Ends the storm, and asserts that the journal has each of its execs once, no loss, and nothing that
 * `vcml audit` finds. Returns the states in which agents found the hook.
 */
export async function endStorm(cluster: Cluster, release: Release): Promise<unknown[]> {
  const { journal, journalDir } = release;
  await eventually('the end of the storm', async () => {
    // While a runtime starts, a command that succeeded may report an error.
    await cluster.kubectl('exec', 'storm', '--', 'touch', '/tmp/stop').catch(() => {});
    const { status } = await cluster.get<PodObject>('pod', 'storm');
    return status.phase === 'Succeeded' || undefined;
  });
  const count = Number((await cluster.kubectl('logs', 'storm')).trim());
  // Arguments do not identify them: a crowded ring drops arguments first.
  const isOfStorm = ({ object }: JournalLine) => object === PROGRAM;
  const records = await journal.waitFor('the whole storm', (all) =>
    all.filter(isOfStorm).length >= count ? all : undefined,
  );
  assert.equal(records.filter(isOfStorm).length, count);
  assert.deepEqual(
    records.filter(({ action }) => action === 'journal.loss'),
    [],
  );
  const audit = execFileSync(VCML_BIN, ['audit', journalDir], { encoding: 'utf8' });
  assert.match(audit, /^sound: /m);
  await cluster.kubectl('delete', 'pod', 'storm');
  return records
    .filter(({ action }) => action === 'journal.start')
    .map(({ attributes }) => attributes['vcml.hook.state']);
}
