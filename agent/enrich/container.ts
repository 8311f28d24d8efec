import { PLACE } from '../../record/fields/exec.ts';
import { attributeText } from '../../record/line/attributes.ts';
import type { BootTime } from '../../record/types.ts';
import { type ContainerPath, keyOf } from './cgroups/container-path.ts';
import type { ContainerMemory, KnownFacts } from './container-memory.ts';
import {
  agreeing,
  type ContainerFacts,
  containerIn,
  containerResource,
  podUidOf,
} from './container-resource.ts';
import type { Pod } from './pods/pod.ts';
import type { PodContainer } from './pods/pod-containers.ts';
import type { PodSource } from './pods/pod-source.ts';
import { type ResourceAttributes, resourceText } from './resource.ts';
import type { ContainerState } from './runtimes/runtime.ts';

/** The sources of a container's resource, beside its pod. */
export interface ContainerOptions {
  readonly host: ResourceAttributes;
  /** See EnricherOptions. */
  readState(id: string): ContainerState | undefined;
  readonly runtimeOnly: boolean;
  /** facts that an earlier run knew */
  readonly memory: ContainerMemory;
}

interface Rendered {
  readonly podUid: string | undefined;
  readonly resource: string;
  readonly attributes: string;
  readonly settled: boolean;
}

/** One container with its facts, which are rendered when they are first needed. */
export class Container {
  readonly path: ContainerPath;
  readonly key: string;
  /**
   * Its own cgroups, one in each hierarchy, and whether they were made since the agent started. The
   * container exists as long as one of them does.
   */
  readonly cgroups = new Map<string, boolean>();
  /** The boot time of its first exec that could wait for metadata. */
  waitsFrom: BootTime | undefined;
  readonly #pods: PodSource;
  readonly #options: ContainerOptions;
  #state: ContainerState | undefined;
  #rendered: Rendered | undefined;

  constructor(path: ContainerPath, pods: PodSource, options: ContainerOptions) {
    this.path = path;
    this.key = keyOf(path);
    this.#pods = pods;
    this.#options = options;
  }

  /** The uid of its pod; undefined: it belongs to none, as far as was found out. */
  get podUid(): string | undefined {
    return this.path.podUid ?? this.#rendered?.podUid;
  }

  /** Its resource as JSON text. */
  get resource(): string {
    return this.#render().resource;
  }

  /** Further attributes of its records as JSON text, with a comma before each. */
  get attributes(): string {
    return this.#render().attributes;
  }

  /** Whether it has everything that the configured source will ever provide. */
  get settled(): boolean {
    return this.#render().settled;
  }

  /** Looks for more facts and renders the container again. */
  changed(): void {
    this.#rendered = undefined;
    this.#render();
  }

  /** Whether its runtime's files are read, by this run or an earlier one. */
  get hasState(): boolean {
    this.#render();
    return this.#state !== undefined;
  }

  /** What is known about it, of its runtime as of when it was rendered; not kept, because it may be large. */
  facts(): ContainerFacts {
    const { runtimeOnly, memory } = this.#options;
    const { path, key } = this;
    const state = this.#state;
    const podUid = podUidOf({ path, state });
    const isSought = podUid !== undefined && !runtimeOnly;
    const pod = isSought ? (this.#podOf(podUid) ?? memory.recall(key)?.pod) : undefined;
    return agreeing({ path, state, pod });
  }

  #render(): Rendered {
    if (this.#rendered !== undefined) return this.#rendered;
    const { host, readState, runtimeOnly, memory } = this.#options;
    const { path, key } = this;
    this.#state ??= readState(path.id) ?? memory.recall(key)?.state;
    const facts = this.facts();
    const podUid = podUidOf({ path, state: this.#state });
    const own = containerIn(facts);
    if (facts.state !== undefined || facts.pod !== undefined) memory.keep(key, ofOne(facts, own));
    const named = facts.state?.podName !== undefined;
    const placed = facts.state?.sandbox === true || own !== undefined;
    const isReduced = facts.pod?.isReduced ?? false;
    const complete = runtimeOnly ? named : facts.pod !== undefined && placed && !isReduced;
    this.#rendered = {
      podUid,
      resource: resourceText(containerResource(host, facts)),
      attributes:
        podUid === undefined
          ? ''
          : attributeText(PLACE.metadataState, complete ? 'complete' : 'partial'),
      settled: complete || isReduced,
    };
    return this.#rendered;
  }

  /** Finds the one of several candidates that the runtime confirms. */
  #podOf(uid: string): Pod | undefined {
    const { path } = this;
    const state = this.#state;
    return this.#pods.candidates(uid).find((pod) => agreeing({ path, state, pod }).pod);
  }
}

/** The facts without the pod's other containers, which may be many. */
function ofOne({ state, pod }: ContainerFacts, own: PodContainer | undefined): KnownFacts {
  const containers = own === undefined ? [] : [own];
  return { state, pod: pod && { ...pod, containers } };
}
