/**
 * A container runtime as the agent knows it. To add one, declare it in a file beside this one, like
 * containerd.ts, and list it in runtimes.ts.
 */
export interface Runtime {
  /** the value of `container.runtime.name` in records */
  readonly name: string;
  /** Folders where it keeps its state, unless its configuration names others. */
  readonly stateDirs: readonly string[];
  /** The prefixes of the id in a cgroup’s name, such as `docker` in `docker-<id>.scope`. */
  readonly cgroupPrefixes: readonly string[];
  /**
   * The prefix, and the topmost cgroup, of containers that it makes for the kubelet alone. Only the
   * runtime itself names pods in their files; an image can do that in those of other containers.
   */
  readonly cri?: { readonly prefix: string; readonly tree?: string };
  /** The cgroup directly above those of its containers, if their own names have no prefix. */
  readonly cgroupParent?: string;
  /** The topmost cgroup of a tree in which every id is that of a container. */
  readonly cgroupTree?: string;
  /**
   * The topmost cgroup whose children are the runtime's own pods, named by ids like those of
   * containers.
   */
  readonly podParent?: string;
  /**
   * The id of the container whose own cgroup is at this depth of a path, if its runtime names
   * containers in another way than by 64 hex digits; undefined: it is none. Files are not read of it.
   */
  containerAt?(names: readonly string[], at: number): string | undefined;
  /**
   * Reads what its files in a state folder say about a container; undefined: nothing. Each call waits for
   * the one before it, so that a file system that hangs holds up one thread. `variables` are the names
   * of those for `ContainerState.variables`.
   */
  readState(
    stateDir: string,
    id: string,
    variables: readonly string[],
  ): Promise<ContainerState | undefined>;
  /** Set if its files about a container are there only as long as the container runs. */
  readonly bundles?: Bundles;
}

/** Folders with the files about one container each, by its id, which are removed when it ends. */
export interface Bundles {
  /** Lists the folders in a state folder that hold them. They are watched. */
  folders(stateDir: string): Promise<readonly string[]>;
  /** Reads one that was just made, at once; undefined: it says nothing, or nothing yet. */
  readNew(bundle: string, variables: readonly string[]): ContainerState | undefined;
}

/** What a runtime's own files say about a container; undefined: the files have no such name. */
export interface ContainerState {
  readonly runtime: string;
  /** Whether it is a pod's sandbox (pause) and none of the pod's own containers. */
  readonly sandbox: boolean;
  readonly podNamespace: string | undefined;
  readonly podName: string | undefined;
  readonly podUid: string | undefined;
  readonly name: string | undefined;
  readonly image: string | undefined;
  /** Those of the variables that were asked for which it sets itself, in whatever way. */
  readonly variables: readonly string[];
}
