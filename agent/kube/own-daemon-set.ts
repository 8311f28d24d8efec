import { setTimeout as pause } from 'node:timers/promises';
import { RequestError } from './config.ts';
import { ObjectListWatch } from './list-watch.ts';
import { reflect } from './reflector.ts';
import { type Answer, getObject, type KubeObject } from './request.ts';

/** What is said at the end must be said soon: a pod has half a minute to end. */
const ANSWER_MS = 3000;
/** So long the news of the DaemonSet's deletion may take to get here. */
const NEWS_MS = 3000;
/** Between two tries to learn whose the pod is; each doubles the pause. */
const RETRY_MS = 500;
const RETRY_MAX_MS = 30_000;

export interface OwnDaemonSetOptions {
  /** the namespace and the name of the agent's own pod */
  readonly namespace: string;
  readonly pod: string;
  /** the path of a kubeconfig; empty: the service account of the agent's own pod */
  readonly kubeconfig: string;
  /** Called once, when at the end it could be told whether the DaemonSet is gone. */
  onKnown(name: string): void;
  /** Called when that could not be told, with the remedy. */
  onProblem(problem: Error): void;
}

/** Whether the agent's DaemonSet is gone, and how that is known. */
export interface Verdict {
  readonly uninstalled: boolean;
  readonly because: string;
}

/**
 * Tells whether the DaemonSet that the agent's pod belongs to, or one of its name, is there to start
 * another agent. Only what proves that it is gone counts; no answer, and any that is not understood,
 * means that it is there.
 *
 * An uninstall takes the agent's rights and its account as well, often before the agent can ask. That
 * they are gone proves nothing: an upgrade takes them, too, and a pod that was deleted by force takes
 * its token with it. So the DaemonSet is followed, by a watch that outlives rights and account.
 */
export class OwnDaemonSet {
  readonly #options: OwnDaemonSetOptions;
  readonly #stop = new AbortController();
  /** Whose the pod is, and what there is of the DaemonSet. */
  readonly #known = Promise.withResolvers<void>();
  readonly #gone = Promise.withResolvers<void>();
  /** the DaemonSet's name */
  #owner: string | undefined;
  /** Whether the DaemonSet was seen to go, and no other to come in its place. */
  #isGone = false;
  #wasTold = false;

  constructor(options: OwnDaemonSetOptions) {
    this.#options = options;
    this.#follow().catch((error) => this.#tell(error));
  }

  /** Asks, and answers within seconds. */
  async verdict(): Promise<Verdict> {
    await this.#within(ANSWER_MS, this.#known.promise);
    if (this.#owner === undefined) return stays('it is not known which DaemonSet the pod is of');
    const what = `DaemonSet ${this.#options.namespace}/${this.#owner}`;
    let answer: Answer;
    try {
      answer = await this.#get(`${this.#daemonSets}/${this.#owner}`);
    } catch (error) {
      return stays(`no answer of the API server: ${RequestError.of(error).message}`);
    }
    const { status, object } = answer;
    const { metadata, kind, reason } = object;
    const said = `HTTP ${status}: ${object.message ?? 'no message'}`;
    switch (status) {
      case 200:
        if (kind !== 'DaemonSet') return stays('the API server’s answer is no DaemonSet');
        if (metadata?.deletionTimestamp) return gone(`${what} is being deleted`);
        if (await this.#isNamespaceDeleted())
          return gone(`the namespace of ${what} is being deleted`);
        return stays(`${what} is there`);
      case 404:
        return reason === 'NotFound' ? gone(`${what} is gone`) : stays(said);
      case 401:
      case 403:
        // The news may be on its way here.
        await this.#within(NEWS_MS, this.#gone.promise);
        if (!this.#isGone) return stays(`${what} was not seen to go; ${said}`);
        return gone(`${what} was seen to go, and what the agent could ask with is gone`);
      default:
        return stays(said);
    }
  }

  close(): void {
    this.#stop.abort();
  }

  async #follow(): Promise<void> {
    this.#owner = await this.#findOwner();
    if (this.#owner === undefined) {
      this.#known.resolve();
      return;
    }
    const { kubeconfig } = this.#options;
    const fieldSelector = `metadata.name=${this.#owner}`;
    await reflect<KubeObject>({
      source: new ObjectListWatch({
        kubeconfig,
        path: this.#daemonSets,
        fieldSelector,
        cached: false,
      }),
      onList: ([found]) => this.#daemonSetIs(found),
      onChange: (change, found) => this.#daemonSetIs(change === 'DELETED' ? undefined : found),
      onProblem: (problem) => {
        if (problem) this.#tell(problem);
        this.#known.resolve();
      },
      stop: this.#stop.signal,
    });
  }

  #daemonSetIs(found: KubeObject | undefined): void {
    this.#isGone = found === undefined || found.metadata?.deletionTimestamp !== undefined;
    if (this.#isGone) this.#gone.resolve();
    else if (!this.#wasTold) {
      this.#wasTold = true;
      this.#options.onKnown(`${this.#options.namespace}/${this.#owner}`);
    }
    this.#known.resolve();
  }

  /** Tries until there is an answer. */
  async #findOwner(): Promise<string | undefined> {
    const { namespace, pod } = this.#options;
    const { signal } = this.#stop;
    for (let ms = RETRY_MS; !signal.aborted; ms = Math.min(2 * ms, RETRY_MAX_MS)) {
      try {
        const { status, object } = await this.#get(`/api/v1/namespaces/${namespace}/pods/${pod}`);
        const owner = status === 200 ? ownerOf(object) : undefined;
        if (status === 200 && owner === undefined) this.#tell(new Error('no DaemonSet owns it'));
        if (status === 404) this.#tell(new Error('there is no such pod'));
        if (status === 200 || status === 404) return owner;
        this.#tell(RequestError.of({ code: status, body: object }));
      } catch (error) {
        this.#tell(error);
      }
      // Jitter, so that the agents of a cluster do not come back all at once.
      await pause(ms * (0.5 + Math.random()), undefined, { signal, ref: false }).catch(() => {});
    }
    return undefined;
  }

  /** A namespace is deleted with its pods first, and everything else after they have ended. */
  async #isNamespaceDeleted(): Promise<boolean> {
    const answer = await this.#get(`/api/v1/namespaces/${this.#options.namespace}`).catch(() => {});
    return answer?.status === 200 && answer.object.metadata?.deletionTimestamp !== undefined;
  }

  get #daemonSets(): string {
    return `/apis/apps/v1/namespaces/${this.#options.namespace}/daemonsets`;
  }

  #get(path: string): Promise<Answer> {
    const stop = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(ANSWER_MS)]);
    return getObject(this.#options.kubeconfig, path, stop);
  }

  /** Waits for an event, if it comes by then. */
  async #within(ms: number, event: Promise<void>): Promise<void> {
    await Promise.race([event, pause(ms, undefined, { signal: this.#stop.signal })]);
  }

  #tell(error: unknown): void {
    const { namespace, pod, onProblem } = this.#options;
    if (this.#stop.signal.aborted) return;
    const { message, statusCode } = RequestError.of(error);
    const remedy = statusCode === 403 ? `; ${RIGHTS}` : '';
    onProblem(new Error(`pod ${namespace}/${pod}: ${message}${remedy}`));
  }
}

const RIGHTS =
  'let the agent’s account get pods and namespaces, and get, list and watch daemonsets, there';

function ownerOf({ metadata }: KubeObject): string | undefined {
  const owners = metadata?.ownerReferences;
  return owners?.find(({ kind, controller }) => kind === 'DaemonSet' && controller)?.name;
}

function gone(because: string): Verdict {
  return { uninstalled: true, because };
}

function stays(because: string): Verdict {
  return { uninstalled: false, because };
}
