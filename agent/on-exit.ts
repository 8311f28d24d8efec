import type { Config } from './config.ts';
import { OwnDaemonSet } from './enrich/own-daemon-set.ts';
import { AgentError } from './errors.ts';
import { createProblemTeller, type Log } from './telemetry/log.ts';

/** What goes at the end of a run. */
export interface Leaving {
  readonly hook: boolean;
  /** never without the hook */
  readonly journal: boolean;
}

/** What becomes of hook and journal at the end of a run. */
export interface OnExit extends Disposable {
  /** Asks where that is to be asked, for some seconds at most. */
  leaving(): Promise<Leaving>;
}

/** As `onExit` says; `whenUninstalled` follows the agent's DaemonSet from now on. */
export function createOnExit(
  { onExit, journalOnUninstall, kubeconfig }: Config,
  { POD_NAME: pod, POD_NAMESPACE: namespace }: NodeJS.ProcessEnv,
  log: Log,
): OnExit {
  if (onExit !== 'whenUninstalled')
    return {
      leaving: async () => ({ hook: onExit === 'detach', journal: false }),
      [Symbol.dispose]: () => {},
    };
  if (!pod || !namespace)
    throw new AgentError(
      'CONFIGURATION_INVALID',
      'onExit is whenUninstalled, which needs the variables POD_NAME and POD_NAMESPACE: set them ' +
        'from the pod’s metadata.name and metadata.namespace',
    );
  const tell = createProblemTeller((error) =>
    log.warn({ error: error.message }, 'an uninstall would not be seen, and the hook would stay'),
  );
  const daemonSet = new OwnDaemonSet({
    ...{ namespace, pod, kubeconfig, followed: journalOnUninstall === 'delete' },
    onKnown: (name) => log.info({ daemonSet: name }, 'with this DaemonSet the hook goes'),
    onProblem: tell,
  });
  return {
    async leaving() {
      const { uninstalled, seen, because } = await daemonSet.verdict();
      log.info({ because }, uninstalled ? 'uninstalled: the hook goes' : 'the hook stays');
      const journal = journalOnUninstall === 'delete' && seen;
      if (uninstalled && journalOnUninstall === 'delete' && !seen)
        log.warn({}, 'the DaemonSet was not seen to be gone: the journal stays');
      return { hook: uninstalled, journal };
    },
    [Symbol.dispose]: () => daemonSet.close(),
  };
}
