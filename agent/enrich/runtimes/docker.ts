import { type Members, members, TEXT, variablesNamed } from '../../kube/json-shape.ts';
import { imageOf, KUBELET_LABELS, nameOf, objectOf, podNames, textsOf } from './names.ts';
import { readJson } from './read-json.ts';
import type { ContainerState, Runtime } from './runtime.ts';

/**
 * docker, alone or under Kubernetes with cri-dockerd, and balenaEngine, which is made from it: a
 * `config.v2.json` for each container.
 */
export const docker: Runtime = {
  name: 'docker',
  stateDirs: ['/var/lib/docker', '/var/lib/balena-engine'],
  cgroupPrefixes: ['docker'],
  cgroupParent: 'docker',
  cgroupTree: 'ecs', // Amazon ECS: `/ecs/<task>/<id>`

  readState: async (stateDir, id, variables) =>
    stateIn(await readJson(`${stateDir}/containers/${id}/config.v2.json`, shapeOf(variables))),
};

function shapeOf(variables: readonly string[]): Members {
  return members({
    Name: TEXT,
    Config: members({
      Image: TEXT,
      Labels: members({ ...KUBELET_LABELS, 'io.kubernetes.docker.type': TEXT }),
      Env: variablesNamed(variables),
    }),
  });
}

/** The labels are those that the kubelet gives by cri-dockerd. */
function stateIn(config: unknown): ContainerState | undefined {
  const root = objectOf(config);
  if (root === undefined) return undefined;
  const { Image: image, Labels: given, Env: variables } = objectOf(root.Config) ?? {};
  const labels = objectOf(given) ?? {};
  const sandbox = labels['io.kubernetes.docker.type'] === 'podsandbox';
  const name = typeof root.Name === 'string' ? nameOf(root.Name.replace(/^\//, '')) : undefined;
  return {
    runtime: 'docker',
    sandbox,
    ...podNames(labels),
    name: sandbox ? undefined : (nameOf(labels['io.kubernetes.container.name']) ?? name),
    image: imageOf(image),
    variables: textsOf(variables),
  };
}
