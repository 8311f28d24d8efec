import { deepEqual } from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ROOT } from '../../support/paths.ts';
import { Cluster } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import { run } from '../network.ts';
import { DIR } from '../place.ts';
import { CHART } from './release.ts';
import { HELMS, type HelmName } from './template.ts';

/** The commit of 0.1.0. */
const COMMIT = 'c657698fd4f8abcb61668b74c61bd1a0c3d848c6';
const GIT = ['-c', 'safe.directory=*', '-C', ROOT];
const CHART_PATH = 'helm/vcml-agent';
/** The kinds of objects that belong to no namespace, as kubectl prints them. */
const KINDS = ['ClusterRole', 'ClusterRoleBinding', 'PriorityClass'];

interface List {
  readonly items: readonly {
    readonly kind: string;
    readonly metadata: {
      readonly name: string;
      readonly annotations?: Readonly<Record<string, string>>;
    };
  }[];
}

const { status } = spawnSync('git', [...GIT, 'cat-file', '-e', `${COMMIT}^{commit}`]);
const skip = status === 0 ? false : 'this clone does not have the commit of 0.1.0';
const cluster = skip ? undefined : await Cluster.start();
after(() => cluster?.[Symbol.asyncDispose]());

for (const helm of HELMS)
  test(`${helm}: a release of 0.1.0 is upgraded, and another of its name has its own rights`, {
    skip,
  }, async () => {
    const [first, second] = [`${helm}-one`, `${helm}-two`];
    await install(helm, first, formerChart());
    deepEqual(
      await clusterWide(first),
      KINDS.map((kind) => `${kind}/vcml-agent`),
    );
    await install(helm, first, CHART, '--reset-then-reuse-values');
    await install(helm, second, CHART);
    for (const namespace of [first, second])
      deepEqual(
        await clusterWide(namespace),
        KINDS.map((kind) => `${kind}/vcml-agent.${namespace}`),
      );
    await eventually('the rights of both', async () =>
      (await mayListPods(first)) && (await mayListPods(second)) ? true : undefined,
    );
    await run([helm, 'uninstall', 'vcml-agent', `--namespace=${second}`]);
    deepEqual(
      [await clusterWide(first), await clusterWide(second)].map((all) => all.length),
      [3, 0],
    );
    deepEqual(await mayListPods(first), true);
    await run([helm, 'uninstall', 'vcml-agent', `--namespace=${first}`]);
    deepEqual(await clusterWide(first), []);
  });

/** Installs or upgrades a release whose agents no node runs. */
async function install(
  helm: HelmName,
  namespace: string,
  chart: string,
  ...more: readonly string[]
): Promise<void> {
  const values = ['--set=nodeSelector.none=here', '--set=priorityClass.create=true'];
  const flags = [`--namespace=${namespace}`, '--create-namespace', ...values, ...more];
  await run([helm, 'upgrade', '--install', 'vcml-agent', chart, ...flags]);
}

/** Returns the objects of a release that belong to no namespace, by kind and name. */
async function clusterWide(namespace: string): Promise<string[]> {
  const label = '--selector=app.kubernetes.io/name=vcml-agent';
  const list = await cluster?.get<List>(KINDS.join(','), label);
  return (list?.items ?? [])
    .filter(
      ({ metadata }) => metadata.annotations?.['meta.helm.sh/release-namespace'] === namespace,
    )
    .map(({ kind, metadata }) => `${kind}/${metadata.name}`)
    .toSorted();
}

async function mayListPods(namespace: string): Promise<boolean> {
  const account = `system:serviceaccount:${namespace}:vcml-agent`;
  const asked = ['auth', 'can-i', 'list', 'pods', '--all-namespaces', `--as=${account}`];
  // kubectl ends with 1 where the answer is no.
  return run(['kubectl', ...asked]).then(
    (answer) => answer.trim() === 'yes',
    () => false,
  );
}

/** Unpacks the chart of 0.1.0; returns its folder. */
function formerChart(): string {
  const folder = join(DIR, 'former');
  mkdirSync(folder, { recursive: true });
  const input = execFileSync('git', [...GIT, 'archive', COMMIT, CHART_PATH]);
  execFileSync('tar', ['-x', '-C', folder], { input });
  return join(folder, CHART_PATH);
}
