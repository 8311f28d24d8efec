import { deepEqual, equal, match, ok, throws } from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { workloadAllowlist } from '../../deploy/policies/allowlist.ts';
import { plainDaemonSet, policyFiles } from '../../deploy/policies/generate.ts';
import type { Container, DaemonSet, PodSpec } from '../../deploy/policies/pod-spec.ts';
import { ROOT } from '../support/paths.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const GENERATE = join(ROOT, 'deploy/policies/generate.ts');
const DIGEST = `sha256:${'ab'.repeat(32)}`;
const MANIFEST = readFileSync(join(ROOT, 'deploy/manifests/vcml-agent.yaml'), 'utf8');

test('the policies are up to date with deploy/manifests', () => {
  execFileSync(process.execPath, [GENERATE, '--check'], { stdio: 'pipe' });
});

test('policies of an installation have its image, and refuse an image without a digest', () => {
  const folder = join(temporaryFolder(), 'policies');
  const input = MANIFEST.replace(/image: .*/, `image: registry.example/vcml-agent@${DIGEST}`);
  execFileSync(process.execPath, [GENERATE, folder], { input, stdio: ['pipe', 'pipe', 'pipe'] });
  const names = readdirSync(folder).toSorted();
  deepEqual(names, Object.keys(policyFiles(plainDaemonSet())).toSorted());
  for (const name of names) {
    const text = readFileSync(join(folder, name), 'utf8');
    ok(text.includes(DIGEST.slice(7)), name);
    ok(!text.includes('0'.repeat(64)), name);
  }
  const options = { input: MANIFEST, encoding: 'utf8' } as const;
  const { status, stderr } = spawnSync(process.execPath, [GENERATE, folder], options);
  equal(status, 1);
  match(stderr, /the image vcml-agent:\S+ has no digest; set image\.digest/);
});

test('what is committed admits no image at all', () => {
  for (const text of Object.values(policyFiles(plainDaemonSet())))
    ok(text.includes('0'.repeat(64)));
});

test('Kyverno and Gatekeeper check what the API server checks, except who creates a pod', () => {
  const objects = (name: string) =>
    parseAllDocuments(policyFiles(plainDaemonSet())[name] ?? '').map((one) => one.toJS());
  const [policy] = objects('validating-admission-policy.yaml');
  const expected = policy.spec.validations.slice(0, -1);
  match(policy.spec.validations.at(-1).message, /the controller of DaemonSets/);
  const [kyverno, exception] = objects('kyverno.yaml');
  deepEqual(kyverno.spec.validations, expected);
  deepEqual(kyverno.spec.variables, policy.spec.variables);
  const { expression: spec } = policy.spec.variables[0];
  const inlined = expected.map((one: { expression: string }) =>
    one.expression.replaceAll('variables.spec', spec),
  );
  const [first, ...conditions] = exception.spec.matchConditions;
  match(first.expression, /object\.metadata\.namespace == 'vcml-agent'/);
  deepEqual(
    conditions.map((one: { expression: string }) => one.expression),
    inlined,
  );
  const [template] = objects('gatekeeper.yaml');
  const { source } = template.spec.targets[0].code[0];
  const own = JSON.stringify(source).replaceAll('variables.anyObject', 'object');
  deepEqual(JSON.parse(own), { variables: policy.spec.variables, validations: expected });
});

test('GKE’s allowlist matches the pod of the chart', () => {
  const agent = plainDaemonSet();
  deepEqual(mismatches(agent.spec.template.spec), []);
});

/** Pods that the allowlist must not match, and the field that says so. */
const WIDER: readonly (readonly [
  field: string,
  change: (agent: Container, pod: PodSpec) => PodSpec,
])[] = [
  ['image', (agent, pod) => ({ ...pod, containers: [{ ...agent, image: `x@${zeros()}` }] })],
  [
    'digest',
    (agent, pod) => ({ ...pod, containers: [{ ...agent, image: `vcml-agent@${DIGEST}` }] }),
  ],
  ['args', (agent, pod) => ({ ...pod, containers: [{ ...agent, args: ['run', '-x'] }] })],
  [
    'env',
    (agent, pod) => ({ ...pod, containers: [{ ...agent, env: [{ name: 'NODE_OPTIONS' }] }] }),
  ],
  ['privileged', (agent, pod) => withContext(agent, pod, { privileged: true })],
  [
    'capabilities',
    (agent, pod) => withContext(agent, pod, { capabilities: { add: ['SYS_ADMIN'] } }),
  ],
  ['hostNetwork', (_, pod) => ({ ...pod, hostNetwork: true })],
  ['volumes', (_, pod) => ({ ...pod, volumes: [{ name: 'root', hostPath: { path: '/' } }] })],
  [
    'volumeMounts',
    (agent, pod) => ({
      ...pod,
      containers: [
        { ...agent, volumeMounts: [{ name: 'cgroup', mountPath: '/host/sys/fs/cgroup' }] },
      ],
    }),
  ],
];

for (const [field, change] of WIDER)
  test(`GKE’s allowlist does not match another pod: ${field}`, () => {
    const { spec } = plainDaemonSet().spec.template;
    deepEqual(mismatches(change(spec.containers[0], spec)), [field]);
  });

test('GKE’s allowlist of a pod with leastPrivilege does not exempt it from host namespaces', () => {
  const agent = plainDaemonSet();
  const { hostPID: _, ...spec } = agent.spec.template.spec;
  const least: DaemonSet = { ...agent, spec: { template: { spec } } };
  const { exemptions } = workloadAllowlist(least) as unknown as Allowlist;
  deepEqual(exemptions, ['autogke-no-write-mode-hostpath', 'autogke-default-linux-capabilities']);
});

test('a rendering without a DaemonSet is an error', () => {
  const { stderr } = spawnSync(process.execPath, [GENERATE, '/nonexistent'], {
    input: 'kind: Pod',
    encoding: 'utf8',
  });
  match(stderr, /there is no DaemonSet/);
  throws(() => policyFiles(withImage('vcml-agent@sha256:12')), /has no digest/);
});

/** The part of an allowlist that GKE compares. */
interface Allowlist {
  readonly exemptions: readonly string[];
  readonly matchingCriteria: Partial<PodSpec> & {
    readonly containers: readonly [Container];
    readonly volumes: PodSpec['volumes'];
  };
  readonly containerImageDigests: readonly [
    { readonly containerName: string; readonly imageDigests: readonly string[] },
  ];
}

/**
 * Lists the fields in which a pod differs from the committed allowlist, by the rules of GKE's reference:
 * flags must be in the list if the pod sets them, everything else of the pod must be an entry there, and
 * `readOnly: false` stands for a mount that may be written.
 */
function mismatches(pod: PodSpec): string[] {
  const list: Allowlist = parse(policyFiles(plainDaemonSet())['gke-autopilot.yaml'] ?? '');
  const { matchingCriteria, containerImageDigests } = list;
  const [listed] = matchingCriteria.containers;
  const [agent] = pod.containers;
  const [image = '', digest = ''] = agent.image.split('@sha256:');
  const [digests] = containerImageDigests;
  const context = agent.securityContext;
  const { appArmorProfile } = listed.securityContext;
  const flags = (['hostPID', 'hostNetwork', 'hostUsers'] as const).filter(
    (flag) => pod[flag] === true && matchingCriteria[flag] !== true,
  );
  const checks: Readonly<Record<string, boolean>> = {
    image: image === listed.image,
    digest: digests.containerName === agent.name && digests.imageDigests.includes(digest),
    args: agent.args.every((one) => listed.args.includes(one)),
    env: agent.env.every(({ name }) => listed.env.some((one) => one.name === name)),
    privileged: !context.privileged || listed.securityContext.privileged === true,
    capabilities: isCovered(context, listed.securityContext),
    appArmorProfile:
      context.appArmorProfile === undefined ||
      appArmorProfile?.type === 'Unconfined' ||
      appArmorProfile?.type === context.appArmorProfile.type,
    volumeMounts: agent.volumeMounts.every((mount) =>
      listed.volumeMounts.some(
        (one) =>
          one.mountPath === mount.mountPath && (mount.readOnly === true || one.readOnly === false),
      ),
    ),
    volumes: pod.volumes.every(({ hostPath, configMap }) =>
      matchingCriteria.volumes.some((one) =>
        hostPath
          ? one.hostPath?.path === hostPath.path
          : configMap && one.configMap?.name === configMap.name,
      ),
    ),
  };
  return [...flags, ...Object.keys(checks).filter((name) => !checks[name])];
}

function isCovered(
  { capabilities: { add = [] } = {} }: Container['securityContext'],
  { capabilities: listed = {} }: Container['securityContext'],
): boolean {
  return add.every((name) => listed.add?.includes(name));
}

function withContext(agent: Container, pod: PodSpec, change: object): PodSpec {
  const securityContext = { ...agent.securityContext, ...change };
  return { ...pod, containers: [{ ...agent, securityContext }] };
}

function withImage(image: string): DaemonSet {
  const agent = plainDaemonSet();
  const { spec } = agent.spec.template;
  const containers = [{ ...spec.containers[0], image }] as const;
  return { ...agent, spec: { template: { spec: { ...spec, containers } } } };
}

function zeros(): string {
  return `sha256:${'0'.repeat(64)}`;
}
