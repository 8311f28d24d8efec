import { type Check, checksOf, creatorCheck, specOf } from './checks.ts';
import type { DaemonSet, Part } from './pod-spec.ts';

/** The ValidatingPolicies of Kyverno's own chart that the agent's pod violates. */
const VIOLATED = [
  'disallow-capabilities',
  'disallow-capabilities-strict',
  'disallow-host-namespaces',
  'disallow-host-path',
  'disallow-selinux',
  'require-run-as-non-root-user',
  'require-run-as-nonroot',
  'restrict-apparmor-profiles',
  'restrict-volume-types',
];

/** The policy's name in all of them. */
function nameOf({ metadata }: DaemonSet): string {
  return `${metadata.name}-only`;
}

/** The objects that are judged: pods, and the DaemonSet, so that an error comes at once. */
const RULES = [
  {
    apiGroups: [''],
    apiVersions: ['v1'],
    operations: ['CREATE', 'UPDATE'],
    resources: ['pods', 'pods/ephemeralcontainers'],
  },
  {
    apiGroups: ['apps'],
    apiVersions: ['v1'],
    operations: ['CREATE', 'UPDATE'],
    resources: ['daemonsets'],
  },
];

/** Returns a policy for the API server itself, and its binding to the agent's namespace. */
export function validatingAdmissionPolicy(agent: DaemonSet): Part[] {
  const group = 'admissionregistration.k8s.io/v1';
  const name = nameOf(agent);
  const checks = [...checksOf(agent, 'object', 'variables.spec'), creatorCheck(agent)];
  const policy = {
    failurePolicy: 'Fail',
    matchConstraints: { resourceRules: RULES },
    variables: [{ name: 'spec', expression: specOf('object') }],
    validations: checks.map(validation),
  };
  const binding = {
    policyName: name,
    validationActions: ['Deny'],
    matchResources: { namespaceSelector: namespaceOf(agent) },
  };
  return [
    { apiVersion: group, kind: 'ValidatingAdmissionPolicy', metadata: { name }, spec: policy },
    {
      apiVersion: group,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name },
      spec: binding,
    },
  ];
}

/**
 * Returns an exception from Kyverno's policies that holds for the agent's pods alone, and a policy
 * that admits nothing else to the namespace.
 */
export function kyverno(agent: DaemonSet): Part[] {
  const group = 'policies.kyverno.io/v1';
  const name = nameOf(agent);
  const { namespace } = agent.metadata;
  const isHere = `has(object.metadata.namespace) && object.metadata.namespace == '${namespace}'`;
  const conditions = checksOf(agent, 'object', specOf('object')).map(({ expression }, number) => ({
    name: `check-${number + 1}`,
    expression,
  }));
  const policy = {
    validationActions: ['Deny'],
    failurePolicy: 'Fail',
    matchConstraints: { namespaceSelector: namespaceOf(agent), resourceRules: RULES },
    variables: [{ name: 'spec', expression: specOf('object') }],
    validations: checksOf(agent, 'object', 'variables.spec').map(validation),
  };
  const exception = {
    policyRefs: VIOLATED.map((violated) => ({ name: violated, kind: 'ValidatingPolicy' })),
    matchConditions: [{ name: 'namespace', expression: isHere }, ...conditions],
  };
  return [
    { apiVersion: group, kind: 'ValidatingPolicy', metadata: { name }, spec: policy },
    {
      apiVersion: group,
      kind: 'PolicyException',
      metadata: { name, namespace },
      spec: exception,
    },
  ];
}

/** Returns a template and its constraint for Gatekeeper, which admit nothing else to the namespace. */
export function gatekeeper(agent: DaemonSet): Part[] {
  const kind = 'VcmlAgentOnly';
  const source = {
    variables: [{ name: 'spec', expression: specOf('variables.anyObject') }],
    validations: checksOf(agent, 'variables.anyObject', 'variables.spec').map(validation),
  };
  const code = [{ engine: 'K8sNativeValidation', source }];
  return [
    {
      apiVersion: 'templates.gatekeeper.sh/v1',
      kind: 'ConstraintTemplate',
      metadata: { name: kind.toLowerCase() },
      spec: {
        crd: { spec: { names: { kind } } },
        targets: [{ target: 'admission.k8s.gatekeeper.sh', code }],
      },
    },
    {
      apiVersion: 'constraints.gatekeeper.sh/v1beta1',
      kind,
      metadata: { name: nameOf(agent) },
      spec: {
        enforcementAction: 'deny',
        match: {
          namespaces: [agent.metadata.namespace],
          kinds: [
            { apiGroups: [''], kinds: ['Pod'] },
            { apiGroups: ['apps'], kinds: ['DaemonSet'] },
          ],
        },
      },
    },
  ];
}

function validation({ expression, message }: Check): Part {
  return { expression, message };
}

function namespaceOf({ metadata }: DaemonSet): Part {
  return { matchLabels: { 'kubernetes.io/metadata.name': metadata.namespace } };
}
