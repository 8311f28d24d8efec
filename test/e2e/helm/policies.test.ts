import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { plainDaemonSet, policyFiles } from '../../../deploy/policies/generate.ts';
import { ROOT } from '../../support/paths.ts';
import { type Answer, BareApiServer } from '../bare-api-server.ts';
import { eventually } from '../eventually.ts';
import { BIN } from '../network.ts';
import { type Pod, WIDENED } from './widened.ts';

const CONTROLLER = 'system:serviceaccount:kube-system:daemon-set-controller';
const NAMESPACE = 'vcml-agent';
const AGENT = plainDaemonSet();
const LABEL = 'pod-security.kubernetes.io';

/** The namespaces in which the expressions of each kind of policy are bound. */
const ELSEWHERE = { kyverno: 'by-kyverno', exception: 'by-exception', gatekeeper: 'by-gatekeeper' };
const ALL = [NAMESPACE, ...Object.values(ELSEWHERE)];

// biome-ignore lint/suspicious/noExplicitAny: the API server states the form of its objects.
type Manifest = Readonly<Record<string, any>>;

const server = await BareApiServer.start();
after(() => server[Symbol.asyncDispose]());
for (const name of [...ALL, 'elsewhere']) {
  const labels = { [`${LABEL}/enforce`]: 'privileged', [`${LABEL}/warn`]: 'baseline' };
  await created('/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels },
  });
  for (const account of ['vcml-agent', 'default']) {
    const object = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: account } };
    await created(`/api/v1/namespaces/${name}/serviceaccounts`, object);
  }
}
const runtime = { apiVersion: 'node.k8s.io/v1', kind: 'RuntimeClass', handler: 'x' };
await created('/apis/node.k8s.io/v1/runtimeclasses', { ...runtime, metadata: { name: 'x' } });
await server.apply(fileText('validating-admission-policy.yaml'));
for (const [kind, namespace] of Object.entries(ELSEWHERE))
  await server.apply(
    bound(namespace, expressionsOf(kind))
      .map((one) => JSON.stringify(one))
      .join('\n---\n'),
  );
for (const namespace of ALL)
  await eventually(`the policy of ${namespace}`, async () => {
    const { status } = await admit(pod({ image: 'other' }), namespace);
    return status === 422 || undefined;
  });

test('the API server finds no wrong type in an expression', async () => {
  const path = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies';
  const { body } = await server.send('GET', `${path}/vcml-agent-only`);
  const { status } = body as Manifest;
  assert.deepEqual(status?.typeChecking?.expressionWarnings ?? [], []);
});

for (const namespace of ALL) {
  test(`${namespace}: admits the DaemonSet, and the pods that its controller makes`, async () => {
    assert.deepEqual(said(await admit(pod(), namespace)), '');
    assert.deepEqual(said(await daemonSet({}, namespace)), '');
  });

  test(`${namespace}: refuses each pod that may do more, and the DaemonSet with it, and says why`, async () => {
    const unused = new Set(messages(namespace));
    for (const [what, change, message] of WIDENED) {
      const spec = changed(change);
      for (const answer of [
        await admit(pod({}, spec), namespace),
        await daemonSet({ spec }, namespace),
      ]) {
        assert.match(said(answer), / denied request: /, what);
        if (namespace !== ELSEWHERE.exception) assert.match(said(answer), message, what);
        for (const one of unused) if (said(answer).includes(one)) unused.delete(one);
      }
    }
    const other = await daemonSet({ name: 'other' }, namespace);
    assert.match(
      said(other),
      namespace === ELSEWHERE.exception ? /denied/ : /the only DaemonSet here/,
    );
    for (const one of unused) if (said(other).includes(one)) unused.delete(one);
    unused.delete(CREATOR);
    assert.deepEqual([...unused], [], 'no case shows what these are for');
  });
}

test('the objects of Kyverno and Gatekeeper have the fields that these programs define', async () => {
  await server.apply(readFileSync(join(BIN, 'policy-crds.yaml'), 'utf8'));
  // Gatekeeper defines the kind of the constraint when it sees the template.
  const [template] = objectsOf('gatekeeper.yaml');
  const objects = [...objectsOf('kyverno.yaml'), template];
  for (const one of objects) {
    const text = JSON.stringify(one);
    await eventually(`${one?.kind}`, () => server.apply(text));
    const wrong = text.replace('"expression"', '"expresion"');
    // What Gatekeeper reads of the code is not in its definition.
    if (one !== template) await assert.rejects(server.apply(wrong), /field not declared in schema/);
  }
});

test('only the controller creates pods, and only for the DaemonSet of the agent', async () => {
  const refused = /the controller of DaemonSets creates the pods/;
  assert.match(said(await admit(pod(), NAMESPACE, null)), refused);
  assert.match(said(await admit(pod(), NAMESPACE, 'system:serviceaccount:x:y')), refused);
  assert.equal(said(await admit(pod(), NAMESPACE, 'system:kube-controller-manager')), '');
  assert.match(said(await admit(pod({ owner: 'other' }), NAMESPACE)), refused);
  assert.match(said(await admit(pod({ owner: null }), NAMESPACE)), refused);
});

test('an existing pod of the agent gets no other image and no container for debugging', async () => {
  const path = `/api/v1/namespaces/${NAMESPACE}/pods`;
  const { status, body } = await server.send('POST', path, pod(), CONTROLLER);
  assert.equal(status, 201, said({ status, body, warnings: [] }));
  const kept = body as Manifest;
  const { name } = kept.metadata;
  const debugger_ = { name: 'debug', image: 'busybox', targetContainerName: 'agent' };
  const debugged = { ...kept, spec: { ...kept.spec, ephemeralContainers: [debugger_] } };
  const debugging = await server.send('PUT', `${path}/${name}/ephemeralcontainers`, debugged);
  assert.match(said(debugging), /the pod has one container/);
  const [agent] = kept.spec.containers;
  const containers = [{ ...agent, image: 'busybox' }];
  const exchanged = await server.send('PUT', `${path}/${name}`, {
    ...kept,
    spec: { ...kept.spec, containers },
  });
  assert.match(said(exchanged), /the image is/);
  const labelled = { ...kept, metadata: { ...kept.metadata, labels: { a: 'b' } } };
  assert.equal(said(await server.send('PUT', `${path}/${name}`, labelled)), '');
  await server.send('DELETE', `${path}/${name}?gracePeriodSeconds=0`);
});

test('other namespaces are left alone', async () => {
  assert.equal(said(await admit(pod({ image: 'other' }), 'elsewhere', null)), '');
});

test('docs/privileges.md lists what the API server says of the pod below the level privileged', async () => {
  const text = readFileSync(join(ROOT, 'docs/privileges.md'), 'utf8');
  const { warnings } = await daemonSet({}, NAMESPACE);
  const controls = violations(warnings);
  assert.ok(controls.length >= 4, `${warnings}`);
  for (const control of controls) assert.ok(text.includes(`| ${control} |`), control);
  const least = changed((spec) => {
    spec.hostPID = undefined;
    const { capabilities } = spec.containers[0]?.securityContext ?? assert.fail();
    capabilities.add = capabilities.add.filter((name) => name !== 'SYS_PTRACE');
  });
  const { warnings: fewer } = await daemonSet({ spec: least }, 'elsewhere');
  assert.deepEqual(
    violations(fewer),
    controls.filter((control) => control !== 'host namespaces'),
  );
});

/** The message of the only check that other programs than the API server cannot make. */
const CREATOR = 'the controller of DaemonSets creates the pods, for vcml-agent';

/** Lists the controls in the warnings of Pod Security. */
function violations(warnings: readonly string[]): string[] {
  const [, list = ''] =
    /would violate PodSecurity "[^"]*": (.*)/.exec(warnings.join().replaceAll('\\"', '"')) ?? [];
  return [...list.matchAll(/(?:^|\), )([a-zA-Z][^(]*?) \(/g)].map(([, control = '']) => control);
}

/** The checks of a kind of policy, as validations that need no variables of its own. */
function expressionsOf(kind: string): { variables: Manifest[]; validations: Manifest[] } {
  const [first = {}, second = {}] = objectsOf(`${kind === 'exception' ? 'kyverno' : kind}.yaml`);
  if (kind === 'kyverno') return first.spec;
  if (kind === 'exception')
    return {
      variables: [],
      validations: second.spec.matchConditions
        .slice(1)
        .map(({ name, expression }: Manifest) => ({ message: name, expression })),
    };
  const { variables, validations } = first.spec.targets[0].code[0].source;
  // Gatekeeper defines this variable itself.
  return { variables: [{ name: 'anyObject', expression: 'object' }, ...variables], validations };
}

/** A policy of the API server with the given expressions, bound to a namespace. */
function bound(namespace: string, { variables, validations }: ReturnType<typeof expressionsOf>) {
  const [policy, binding] = objectsOf('validating-admission-policy.yaml');
  const metadata = { name: namespace };
  const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': namespace } };
  return [
    { ...policy, metadata, spec: { ...policy?.spec, variables, validations } },
    {
      ...binding,
      metadata,
      spec: { ...binding?.spec, policyName: namespace, matchResources: { namespaceSelector } },
    },
  ];
}

function messages(namespace: string): string[] {
  const [kind] = Object.entries(ELSEWHERE).find(([, name]) => name === namespace) ?? [];
  const [policy = {}] = objectsOf('validating-admission-policy.yaml');
  const { validations } = kind === undefined ? policy.spec : expressionsOf(kind);
  return validations.map(({ message }: Manifest) => message);
}

function objectsOf(file: string): Manifest[] {
  return parseAllDocuments(fileText(file)).map((document) => document.toJS());
}

function fileText(file: string): string {
  return policyFiles(AGENT)[file] ?? assert.fail(`no ${file}`);
}

/** A pod as the controller makes it from the DaemonSet: it adds the owner, the node and tolerations. */
function pod(
  more: { image?: string; owner?: string | null } = {},
  spec = changed(() => {}),
): Manifest {
  const { image, owner = 'vcml-agent' } = more;
  const [agent] = spec.containers;
  const fields = [{ key: 'metadata.name', operator: 'In', values: ['node-1'] }];
  const terms = { nodeSelectorTerms: [{ matchFields: fields }] };
  const ownerReferences = [
    { apiVersion: 'apps/v1', kind: 'DaemonSet', name: owner, uid: 'x', controller: true },
  ];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { generateName: 'vcml-agent-', ...(owner && { ownerReferences }) },
    spec: {
      ...spec,
      affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } },
      containers: image === undefined ? spec.containers : [{ ...agent, image }],
    },
  };
}

/** The specification of the agent's pod after a change. */
function changed(change: (pod: Pod) => unknown): Pod {
  const spec = structuredClone(AGENT.spec.template.spec) as unknown as Pod;
  change(spec);
  return spec;
}

/** Asks whether a pod is admitted, without creating it; null: as the administrator. */
function admit(
  one: Manifest,
  namespace: string,
  user: string | null = CONTROLLER,
): Promise<Answer> {
  const path = `/api/v1/namespaces/${namespace}/pods?dryRun=All`;
  return server.send('POST', path, one, user ?? undefined);
}

/** Asks whether the DaemonSet, with another name or pod, is admitted. */
function daemonSet(more: { name?: string; spec?: Pod }, namespace: string): Promise<Answer> {
  const { name = AGENT.metadata.name, spec = AGENT.spec.template.spec } = more;
  const template = { ...AGENT.spec.template, spec };
  const one = {
    ...AGENT,
    metadata: { ...AGENT.metadata, name, namespace },
    spec: { ...AGENT.spec, template },
  };
  return server.send('POST', `/apis/apps/v1/namespaces/${namespace}/daemonsets?dryRun=All`, one);
}

/** What the API server says of a request that it refuses; empty: it accepts it. */
function said({ status, body }: Answer): string {
  return status < 300 ? '' : (body.message ?? `${status}`);
}

async function created(path: string, object: object): Promise<void> {
  const { status, body } = await server.send('POST', path, object);
  assert.equal(status, 201, said({ status, body, warnings: [] }));
}
