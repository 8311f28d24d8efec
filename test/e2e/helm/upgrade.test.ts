import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { VERSION } from '../../../agent/version.ts';
import { formerVersion, whyNoFormerVersion } from '../../support/former-version.ts';
import { AGENT_IMAGES, REPOSITORY } from '../agent-image.ts';
import { AGENT_CONFIG, putAgent } from '../agent-layer.ts';
import { Cluster } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import { createLayer, writeArchive } from '../images.ts';
import { run } from '../network.ts';
import { DIR } from '../place.ts';
import { CHART, Release, set } from './release.ts';
import { endStorm, startStorm } from './storm.ts';
import { HELMS, type HelmName } from './template.ts';

/** The tag of the image of 0.1.0. */
const FORMER = 'former';
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

const skip = whyNoFormerVersion();
const chart = skip ? '' : join(formerVersion(), 'helm/vcml-agent');
const cluster = skip ? undefined : await Cluster.start();
after(() => cluster?.[Symbol.asyncDispose]());

for (const helm of HELMS)
  test(`${helm}: a release of 0.1.0 is upgraded, and another of its name has its own rights`, {
    skip,
  }, async () => {
    const [first, second] = [`${helm}-one`, `${helm}-two`];
    await install(helm, first, chart);
    assert.deepEqual(
      await clusterWide(first),
      KINDS.map((kind) => `${kind}/vcml-agent`),
    );
    await install(helm, first, CHART, '--reset-then-reuse-values');
    await install(helm, second, CHART);
    for (const namespace of [first, second])
      assert.deepEqual(
        await clusterWide(namespace),
        KINDS.map((kind) => `${kind}/vcml-agent.${namespace}`),
      );
    await eventually('the rights of both', async () =>
      (await mayListPods(first)) && (await mayListPods(second)) ? true : undefined,
    );
    await run([helm, 'uninstall', 'vcml-agent', `--namespace=${second}`]);
    assert.deepEqual(
      [await clusterWide(first), await clusterWide(second)].map((all) => all.length),
      [3, 0],
    );
    assert.deepEqual(await mayListPods(first), true);
    await run([helm, 'uninstall', 'vcml-agent', `--namespace=${first}`]);
    assert.deepEqual(await clusterWide(first), []);
  });

test('agents of 0.1.0 are upgraded, rolled back and upgraded again, and miss nothing', {
  skip,
}, async () => {
  assert.ok(cluster);
  await cluster.importImages(AGENT_IMAGES);
  await cluster.importImages(formerImage());
  const release = new Release(cluster, 'helm');
  await release.installChart(chart, ...set([`image.tag=${FORMER}`]));
  await startStorm(cluster);
  const upgrade = () =>
    release.installChart(CHART, '--reset-then-reuse-values', '--set=image.tag=e2e');
  await upgrade();
  await release.run('rollback', 'vcml-agent', '--wait', '--timeout=3m');
  await release.waitUntilReady();
  await upgrade();
  assert.match(await release.test(), /PASSED/);
  const states = await endStorm(cluster, release);
  assert.deepEqual(states, ['attached', 'upgraded', 'upgraded', 'upgraded']);
  const versions = release.journal.records
    .filter(({ action }) => action === 'journal.start')
    .map(({ attributes }) => attributes['vcml.agent.version']);
  assert.deepEqual(versions, ['0.1.0', VERSION, '0.1.0', VERSION]);
  const programs = release.programs();
  await release.uninstall();
  await release.assertGone(programs);
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

/** Builds the image of 0.1.0; returns its archive. */
function formerImage(): string {
  const layer = createLayer(`${DIR}/images`, FORMER);
  putAgent(layer, formerVersion());
  return writeArchive(`${DIR}/images/${FORMER}.tar`, [
    { tag: `${REPOSITORY}:${FORMER}`, layers: [layer], config: AGENT_CONFIG },
  ]);
}
