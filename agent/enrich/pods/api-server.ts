import type { V1Pod } from '@kubernetes/client-node';
import { ObjectListWatch } from '../../kube/list-watch.ts';
import { getObject } from '../../kube/objects.ts';
import type { Listed, ListWatch } from '../../kube/reflector.ts';
import { RequestError } from '../../kube/request-error.ts';
import { POD_FIELDS, type Pod, slimPod } from './pod.ts';
import { followPods } from './pod-follower.ts';
import type { PodSource, PodSourceOptions } from './pod-source.ts';

const NODE_MS = 30_000;

/** Follows this node's pods on the API server, and keeps trying while it cannot be reached. */
export function followApiServer(options: PodSourceOptions): PodSource {
  return followPods(new PodListWatch(options), options);
}

/** Lists and watches the pods that are scheduled to this node. */
class PodListWatch implements ListWatch<Pod> {
  readonly #options: PodSourceOptions;
  readonly #objects: ObjectListWatch<Pod>;

  constructor(options: PodSourceOptions) {
    const { kubeconfig, nodeName } = options;
    this.#options = options;
    this.#objects = new ObjectListWatch({
      kubeconfig,
      path: '/api/v1/pods',
      fieldSelector: `spec.nodeName=${nodeName}`,
      cached: true, // the watch brings what the cache does not have yet
      fields: POD_FIELDS,
      read: (pod) => slimPod(pod as unknown as V1Pod, options),
    });
  }

  async list(stop: AbortSignal): Promise<Listed<Pod>> {
    const listed = await this.#objects.list(stop);
    if (listed.items.length === 0) await this.#mustExist(stop);
    return listed;
  }

  watch(...args: Parameters<ListWatch<Pod>['watch']>): Promise<void> {
    return this.#objects.watch(...args);
  }

  /**
   * The API server does not treat it as an error when the selector names a node that does not
   * exist.
   */
  async #mustExist(stop: AbortSignal): Promise<void> {
    const { kubeconfig, nodeName } = this.#options;
    const { status, object } = await getObject({
      kubeconfig,
      path: `/api/v1/nodes/${nodeName}`,
      stop: AbortSignal.any([stop, AbortSignal.timeout(NODE_MS)]),
    });
    if (status !== 200) throw RequestError.refusal(status, object);
  }
}
