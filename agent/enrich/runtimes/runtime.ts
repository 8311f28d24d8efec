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
  /** The cgroup directly above those of its containers, if their own names have no prefix. */
  readonly cgroupParent?: string;
  /** The topmost cgroup of a tree in which every id is that of a container. */
  readonly cgroupTree?: string;
  /**
   * The topmost cgroup whose children are the runtime's own pods, named by ids like those of
   * containers.
   */
  readonly podParent?: string;
  /** Reads what its files in a state folder say about a container; undefined: nothing. */
  readState(stateDir: string, id: string): ContainerState | undefined;
  /**
   * Lists the folders in a state folder that hold one folder for each container, by its id, only as
   * long as it runs. They are watched, so that the shortest-lived container is not missed.
   */
  bundleFolders?(stateDir: string): readonly string[];
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
}
