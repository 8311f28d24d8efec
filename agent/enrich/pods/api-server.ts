import type { V1Pod } from '@kubernetes/client-node';
import { ObjectListWatch } from '../../kube/list-watch.ts';
import { getObject } from '../../kube/objects.ts';
import { Pace } from '../../kube/pace.ts';
import type { Change, ListWatch } from '../../kube/reflector.ts';
import { RequestError } from '../../kube/request-error.ts';
import { type Pod, slimPod } from './pod.ts';
import { followPods } from './pod-follower.ts';
import { podShape } from './pod-shape.ts';
import type { PodSource, PodSourceOptions } from './pod-source.ts';

const NODE_MS = 30_000;

/** Follows this node's pods on the API server, and keeps trying while it cannot be reached. */
export function followApiServer(options: PodSourceOptions): PodSource {
  const pace = new Pace();
  return followPods(new PodListWatch(options, pace), pace, options);
}

/** Lists and watches the pods that are scheduled to this node. */
class PodListWatch implements ListWatch<Pod> {
  readonly #options: PodSourceOptions;
  readonly #pods: ObjectListWatch<Pod>;
  #nodeUid: string | undefined;

  constructor(options: PodSourceOptions, pace: Pace) {
    const { kubeconfig, nodeName, keys } = options;
    this.#options = options;
    this.#pods = new ObjectListWatch({
      kubeconfig,
      path: '/api/v1/pods',
      fieldSelector: `spec.nodeName=${nodeName}`,
      cached: true, // the watch brings what the cache does not have yet
      shape: podShape(keys),
      pace,
      read: ({ value, isCut }) =>
        slimPod(value as V1Pod, { keys, nodeName, nodeUid: this.#nodeUid }, isCut),
    });
  }

  async list(onPod: (pod: Pod) => void, stop: AbortSignal): Promise<string> {
    const { kubeconfig, nodeName } = this.#options;
    const { status, object } = await getObject({
      kubeconfig,
      path: `/api/v1/nodes/${nodeName}`,
      stop: AbortSignal.any([stop, AbortSignal.timeout(NODE_MS)]),
    });
    this.#nodeUid = status === 200 ? object.metadata?.uid : undefined;
    let isEmpty = true;
    const resourceVersion = await this.#pods.list((pod) => {
      isEmpty = false;
      onPod(pod);
    }, stop);
    // The API server takes a selector with the name of a node that does not exist.
    if (isEmpty && status !== 200) throw RequestError.refusal(status, object);
    return resourceVersion;
  }

  watch(
    resourceVersion: string,
    timeoutSeconds: number,
    onChange: (resourceVersion: string, change?: Change, pod?: Pod) => void,
    stop: AbortSignal,
  ): Promise<void> {
    return this.#pods.watch(resourceVersion, timeoutSeconds, onChange, stop);
  }
}
