import type { DaemonSet, Part, PodSpec } from './pod-spec.ts';

/** The constraints of Autopilot that the pod breaks; the first only with a namespace of the host. */
const EXEMPTIONS = [
  'autogke-disallow-hostnamespaces',
  'autogke-no-write-mode-hostpath',
  'autogke-default-linux-capabilities',
];

/**
 * Returns a WorkloadAllowlist of GKE Autopilot for exactly the agent's pod; its fields are those of
 * https://docs.cloud.google.com/kubernetes-engine/docs/reference/crds/workloadallowlist.
 */
export function workloadAllowlist({ metadata, spec: { template } }: DaemonSet): Part {
  const { spec } = template;
  const [agent] = spec.containers;
  const [image = '', digest = ''] = agent.image.split('@sha256:');
  const { capabilities, appArmorProfile, privileged } = agent.securityContext;
  const container = {
    name: agent.name,
    image: image.replace(/:[^:/]*$/, ''),
    args: agent.args,
    env: agent.env.map(({ name }) => ({ name })),
    securityContext: {
      ...(capabilities && { capabilities }),
      ...(appArmorProfile && { appArmorProfile }),
      ...(privileged && { privileged }),
    },
    volumeMounts: agent.volumeMounts.map(({ name, mountPath, readOnly }) => ({
      name,
      mountPath,
      readOnly: readOnly ?? false,
    })),
  };
  return {
    apiVersion: 'auto.gke.io/v1',
    kind: 'WorkloadAllowlist',
    metadata: {
      name: `${metadata.name}-${digest.slice(0, 12)}`,
      annotations: { 'autopilot.gke.io/no-connect': 'true' },
    },
    exemptions: exemptionsOf(spec),
    matchingCriteria: {
      ...(spec.hostPID && { hostPID: true }),
      ...(spec.hostNetwork && { hostNetwork: true }),
      ...(spec.hostUsers && { hostUsers: true }),
      containers: [container],
      volumes: spec.volumes.flatMap(({ name, hostPath, configMap }) => {
        if (hostPath) return [{ name, hostPath: { path: hostPath.path } }];
        return configMap ? [{ name, configMap }] : [{ name }];
      }),
    },
    containerImageDigests: [{ containerName: agent.name, imageDigests: [digest] }],
  };
}

function exemptionsOf({ hostPID, hostNetwork, containers: [agent] }: PodSpec): string[] {
  if (agent.securityContext.privileged) return [...EXEMPTIONS, 'autogke-disallow-privilege'];
  return hostPID || hostNetwork ? EXEMPTIONS : EXEMPTIONS.slice(1);
}
