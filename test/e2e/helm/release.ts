import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { FollowedJournal, type JournalLine } from '../../support/journal/followed-journal.ts';
import { type LogsData, linesOf } from '../../support/otlp/otlp.ts';
import { ROOT } from '../../support/paths.ts';
import { IMAGES } from '../agent-image.ts';
import type { Cluster } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import { run } from '../network.ts';
import { DIR, NODE_NAME, PINS, RUNTIME, RUNTIME_STATE } from '../place.ts';

export const CHART = join(ROOT, 'helm/vcml-agent');
export const NAMESPACE = 'vcml-agent';
const NAME = 'vcml-agent';
const RECORDS = 'volumes/kubernetes.io~empty-dir/records';
/** The time in which the log of a pod that was deleted must end. */
const LOG_MS = 30_000;
/** The time in which records of pods must appear, on a busy machine. */
const PATIENCE_MS = 120_000;

const BUNDLES = `${RUNTIME_STATE}/${
  RUNTIME === 'cri-o' ? 'overlay-containers' : 'io.containerd.runtime.v2.task'
}`;

/** The folders that differ in this cluster, and time-outs for a busy machine. */
export const SETTINGS = [
  'config.metadataWait=10s',
  `runtime.type=${RUNTIME}`,
  `runtime.dir=${BUNDLES}`,
  `hostPaths.journal=${DIR}/node`,
];

/** The chart, installed by one version of Helm. */
export class Release {
  readonly #helm: string;
  readonly #cluster: Cluster;
  readonly journalDir = `${DIR}/node/journal`;
  readonly journal = new FollowedJournal(this.journalDir);
  /** What the agent that was uninstalled said at its end. */
  #lastWords = '';

  constructor(cluster: Cluster, helm: 'helm' | 'helm3') {
    this.#cluster = cluster;
    this.#helm = helm;
  }

  /**
   * Installs or upgrades with values such as `a.b=c`, waits until everything is ready, and returns
   * the output.
   */
  install(...values: readonly string[]): Promise<string> {
    return this.installChart(CHART, ...set(values));
  }

  /** Does the same with another chart, and with flags. */
  async installChart(chart: string, ...flags: readonly string[]): Promise<string> {
    const wait = ['--wait', '--timeout=3m', '--create-namespace'];
    const notes = await this.run('upgrade', '--install', NAME, chart, ...wait, ...flags);
    await this.waitUntilReady();
    return notes;
  }

  async waitUntilReady(): Promise<void> {
    // On one node, maxUnavailable is all of them, and Helm 3 does not wait for the agent.
    await this.kubectl('rollout', 'status', `daemonset/${NAME}`, '--timeout=3m');
  }

  /** Kills the agent's pod, and waits until the pod that takes its place is ready. */
  async replaceKilledAgent(): Promise<void> {
    const pods = ['pods', '--selector=app.kubernetes.io/component=agent'];
    const ready =
      '{range .items[?(@.status.containerStatuses[0].ready==true)]}{.metadata.uid} {end}';
    const uids = async () =>
      (await this.kubectl('get', ...pods, `--output=jsonpath=${ready}`)).split(' ');
    const [killed] = await uids();
    await this.kubectl('delete', ...pods, '--grace-period=0', '--force');
    await eventually('another agent', async () => {
      const [uid] = await uids();
      return (uid !== '' && uid !== killed) || undefined;
    });
  }

  /** Runs `helm test` and returns what its pod prints; rejects if it fails. */
  test(): Promise<string> {
    return this.run('test', NAME, '--logs', '--timeout=3m');
  }

  async uninstall(): Promise<void> {
    // The log is deleted together with the pod.
    const log = this.log('--follow', '--tail=20').catch((error: Error) => error.message);
    await this.run('uninstall', NAME, '--wait', '--timeout=2m');
    this.#lastWords = await Promise.race([log, pause(LOG_MS, 'no log')]);
  }

  /** Runs a command of Helm in the namespace of the release. */
  run(...args: readonly string[]): Promise<string> {
    return run([this.#helm, ...args, `--namespace=${NAMESPACE}`]);
  }

  kubectl(...args: readonly string[]): Promise<string> {
    return this.#cluster.kubectl(`--namespace=${NAMESPACE}`, ...args);
  }

  /** Returns the log of the running agent or the previous one. */
  log(...args: readonly string[]): Promise<string> {
    return this.kubectl('logs', `daemonset/${NAME}`, ...args);
  }

  /**
   * Waits for the exec with these arguments after the name of the program; each test uses its own.
   */
  marked(marker: string): Promise<JournalLine> {
    return this.journal.marked(marker, PATIENCE_MS);
  }

  /**
   * Waits until the Collector has what this node's journal has now, except the first `lost` lines, which
   * another Collector may have received.
   */
  async assertReceived(lost = 0): Promise<void> {
    const { lines } = this.journal;
    this.journal.read();
    const last = lines.at(-1) ?? assert.fail('the node has written nothing');
    const received = await eventually('the records in the Collector', async () => {
      const found = await this.#received();
      if (found.includes(last)) return found;
      throw new Error(`${found.length} of ${lines.length}, the last is ${found.at(-1)}`);
    });
    // Delivery is at least once: what was sent again when an agent ended occurs twice.
    const once = [...new Set(received)];
    const first = lines.indexOf(once[0] ?? '');
    assert.ok(first >= 0 && first <= lost, `the first is line ${first}, ${lost} may be missing`);
    const expected = lines.slice(first);
    assert.deepEqual(once.slice(0, expected.length), expected);
  }

  /**
   * Returns what the Collector received from this node, as lines of the journal; it keeps them in
   * files; the name of the newest sorts last.
   */
  async #received(): Promise<string[]> {
    const uids = await this.kubectl(
      'get',
      'pods',
      '--selector=app.kubernetes.io/component=collector',
      '--output=jsonpath={.items[*].metadata.uid}',
    );
    const folders = uids.split(' ').map((uid) => `${DIR}/kubelet/pods/${uid}/${RECORDS}`);
    const files = folders.filter(existsSync).flatMap((folder) =>
      readdirSync(folder)
        .sort()
        .map((name) => join(folder, name)),
    );
    const lines = files.flatMap((file) => receivedIn(file));
    return lines.filter((line) => JSON.parse(line).resource['host.name'] === NODE_NAME);
  }

  /** Returns the ids of the hook's programs in the kernel. */
  programs(): readonly number[] {
    return readdirSync(PINS)
      .filter((name) => name.startsWith('program_'))
      .map((name) => {
        const args = ['--json', 'prog', 'show', 'pinned', join(PINS, name)];
        return JSON.parse(execFileSync('bpftool', args, { encoding: 'utf8' })).id;
      });
  }

  /** Asserts that the node soon has nothing of the agent, except the journal if it is kept. */
  async assertGone(programs: readonly number[], journal = 'kept'): Promise<void> {
    await eventually('the end of the hook', async () => {
      if (existsSync(PINS)) throw new Error(`the agent said: ${this.#lastWords}`);
      return true;
    });
    // The kernel frees the programs a moment after the last pin is removed.
    await eventually('the end of the programs', async () => {
      const all = JSON.parse(execFileSync('bpftool', ['--json', 'prog'], { encoding: 'utf8' }));
      const left = all.filter(({ id }: { id: number }) => programs.includes(id));
      return left.length === 0 || undefined;
    });
    if (journal === 'kept') assert.equal(existsSync(this.journalDir), true);
    else
      await eventually(
        'the end of the journal',
        async () => !existsSync(this.journalDir) || undefined,
      );
  }
}

/** Returns flags that set values, with those of this cluster. */
export function set(values: readonly string[]): string[] {
  return [...IMAGES, ...SETTINGS, ...values].map((value) => `--set=${value}`);
}

function receivedIn(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => linesOf(JSON.parse(line) as LogsData));
}
