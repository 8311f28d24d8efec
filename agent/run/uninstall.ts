import type { Config } from '../config/schema.ts';
import { AgentError } from '../errors.ts';
import { CURSOR_FILE } from '../export/read/cursor.ts';
import { DEAD_LETTER_FILE, OLDER_DEAD_LETTER_FILE } from '../export/send/dead-letters.ts';
import { asideOf } from '../files.ts';
import { deleteJournal } from '../journal/delete.ts';
import type { Log } from '../log-events.ts';
import { SNAPSHOT_FILE } from '../source/arming.ts';
import { suppressRepeats } from '../telemetry/log.ts';
import { RUN_OPTIONS_FILE } from './run-options.ts';
import { CONTAINERS_FILE } from './wiring.ts';

/** What a run removes at its end. */
export interface Removal {
  readonly hook: boolean;
  /** Only together with the hook. */
  readonly journal: boolean;
}

/** Decides what a run removes at its end. */
export interface ExitPolicy extends Disposable {
  /** Decides, and may ask the API server for that; resolves within seconds. */
  removal(): Promise<Removal>;
}

/** The agent's own pod. */
export interface OwnPod {
  readonly namespace: string;
  readonly pod: string;
}

/** Returns the pod of an agent that detects its uninstall; throws POD_NAME_MISSING. */
export function ownPod(
  { onExit }: Config,
  { POD_NAME: pod, POD_NAMESPACE: namespace }: NodeJS.ProcessEnv,
): OwnPod | undefined {
  if (onExit !== 'whenUninstalled') return undefined;
  if (!pod || !namespace) throw new AgentError('POD_NAME_MISSING', {});
  return { namespace, pod };
}

/**
 * Creates the policy that `onExit` names. `whenUninstalled` watches the DaemonSet of the agent's
 * pod from now on, and only then the client for the API server is loaded.
 */
export async function createExitPolicy(
  { onExit, journalOnUninstall, kubeconfig }: Config,
  pod: OwnPod | undefined,
  log: Log,
): Promise<ExitPolicy> {
  if (pod === undefined)
    return {
      removal: async () => ({ hook: onExit === 'detach', journal: false }),
      [Symbol.dispose]: () => {},
    };
  const { OwnDaemonSet } = await import('../kube/own-daemon-set.ts');
  const daemonSet = new OwnDaemonSet({
    namespace: pod.namespace,
    pod: pod.pod,
    kubeconfig,
    onKnown: (name) => log('uninstall.watching', { daemonSet: name }),
    onProblem: suppressRepeats((error) => log('uninstall.watch_failed', { error: error.message })),
  });
  return {
    async removal() {
      const { uninstalled, because } = await daemonSet.verdict();
      const journal = uninstalled && journalOnUninstall === 'delete';
      log(uninstalled ? 'uninstall.detected' : 'uninstall.not_detected', { because });
      return { hook: uninstalled, journal };
    },
    [Symbol.dispose]: () => daemonSet.close(),
  };
}

/** The files that other rooms keep in the journal's folder. */
const OTHERS = [
  CURSOR_FILE,
  asideOf(CURSOR_FILE),
  DEAD_LETTER_FILE,
  OLDER_DEAD_LETTER_FILE,
  SNAPSHOT_FILE,
  asideOf(SNAPSHOT_FILE),
  RUN_OPTIONS_FILE,
  asideOf(RUN_OPTIONS_FILE),
  CONTAINERS_FILE,
  asideOf(CONTAINERS_FILE),
];

/** Deletes the journal of an agent that was uninstalled, and logs the outcome. */
export async function deleteAll({ journalDir: journal }: Config, log: Log): Promise<void> {
  try {
    const left = await deleteJournal(journal, OTHERS);
    if (left.length === 0) log('journal.deleted', { journal });
    else log('journal.deleted_in_part', { journal, left });
  } catch (error) {
    log('journal.delete_failed', { journal, error: (error as Error).message });
  }
}
