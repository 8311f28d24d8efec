import type { Config } from './config.ts';
import { OwnDaemonSet } from './enrich/own-daemon-set.ts';
import { AgentError } from './errors.ts';
import { createProblemTeller, type Log } from './telemetry/log.ts';

/** What becomes of the hook at the end of a run. */
export interface OnExit extends Disposable {
  /** Whether it is taken away; asks where that is to be asked, for some seconds at most. */
  detaches(): Promise<boolean>;
}

/** As `onExit` says; `whenUninstalled` follows the agent's DaemonSet from now on. */
export function createOnExit(
  { onExit, kubeconfig }: Config,
  { POD_NAME: pod, POD_NAMESPACE: namespace }: NodeJS.ProcessEnv,
  log: Log,
): OnExit {
  if (onExit !== 'whenUninstalled')
    return { detaches: async () => onExit === 'detach', [Symbol.dispose]: () => {} };
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
    ...{ namespace, pod, kubeconfig },
    onKnown: (name) => log.info({ daemonSet: name }, 'with this DaemonSet the hook goes'),
    onProblem: tell,
  });
  return {
    async detaches() {
      const { uninstalled, because } = await daemonSet.verdict();
      log.info({ because }, uninstalled ? 'uninstalled: the hook goes' : 'the hook stays');
      return uninstalled;
    },
    [Symbol.dispose]: () => daemonSet.close(),
  };
}
