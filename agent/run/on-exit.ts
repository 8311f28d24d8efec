import type { Config } from '../config/schema.ts';
import { AgentError } from '../errors.ts';
import { OwnDaemonSet } from '../kube/own-daemon-set.ts';
import { createProblemTeller, type Log } from '../telemetry/log.ts';

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
  if (!pod || !namespace) throw new AgentError('POD_NAME_MISSING', {});
  const tell = createProblemTeller((error) =>
    log.warn({ error: error.message }, 'an uninstall would not be seen, and the hook would stay'),
  );
  const daemonSet = new OwnDaemonSet({
    namespace,
    pod,
    kubeconfig,
    onKnown: (name) => log.info({ daemonSet: name }, 'with this DaemonSet the hook goes'),
    onProblem: tell,
  });
  return {
    async leaving() {
      const { uninstalled, because } = await daemonSet.verdict();
      const what =
        journalOnUninstall === 'delete' ? 'the hook goes, and the journal' : 'the hook goes';
      log.info({ because }, uninstalled ? `uninstalled: ${what}` : 'the hook stays');
      return { hook: uninstalled, journal: uninstalled && journalOnUninstall === 'delete' };
    },
    [Symbol.dispose]: () => daemonSet.close(),
  };
}
