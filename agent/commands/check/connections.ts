import type { Config } from '../../config/schema.ts';
import type { Log } from '../../log-events.ts';
import type { CheckedRun } from '../../run/check-run.ts';
import { prepareExport } from '../../run/export-wiring.ts';
import { loadPodSource } from '../../run/wiring.ts';
import { type Check, failed, off, ok } from './finding.ts';

/** How long the API server or the kubelet may take. */
const PODS_MS = 15_000;

/** What the agent connects to, by the name of the check. `checked` is what the configuration refers to. */
export function connectionChecks(
  config: Config,
  checked: Promise<CheckedRun>,
  log: Log,
): [string, Check][] {
  return [
    ['API', () => checkPods(config)],
    ['collector', () => checkCollector(config, checked, log)],
  ];
}

/** Asks for the pods of this node in the way in which a run does. */
async function checkPods(config: Config) {
  const { metadata, nodeName } = config;
  if (metadata === 'none') return off('metadata is none: records have what the runtime knows');
  const { promise, resolve } = Promise.withResolvers<Error | undefined>();
  const pods = new Set<string>();
  const open = await loadPodSource(config);
  const source = open({
    onPod(uid) {
      pods.add(uid);
    },
    report(event) {
      if (event.event === 'metadata.unavailable') resolve(event.error);
    },
  });
  const poll = setInterval(() => source.state === 'following' && resolve(undefined), 20);
  const late = new Error(`no answer within ${PODS_MS / 1000} s`);
  const timer = setTimeout(() => resolve(late), PODS_MS);
  const problem = await promise;
  clearInterval(poll);
  clearTimeout(timer);
  source.close();
  if (problem === undefined) return ok(`${metadata}: ${pods.size} pods of ${nodeName}`);
  return failed(
    `${metadata}: ${problem.message}`,
    'check RBAC rules and network policies for the API server or the kubelet',
  );
}

/** Sends a request without records, with the credentials and the timeout of a run. */
async function checkCollector(config: Config, checked: Promise<CheckedRun>, log: Log) {
  const { exportEndpoint } = config;
  if (exportEndpoint === '') return off('nothing is exported: exportEndpoint is not set');
  const known = await checked.catch(() => undefined);
  const prepared = known && (await prepareExport(config, known.credentials, log));
  if (prepared === undefined)
    return off(`${exportEndpoint} is not asked before a run accepts the configuration`);
  const outcome = await prepared.probe();
  if (outcome.kind === 'accepted') return ok(`${exportEndpoint} accepts requests`);
  const { kind, code, details } = outcome;
  return failed(
    `${exportEndpoint}: ${code}: ${details}`,
    kind === 'denied'
      ? 'check exportTokenFile, exportHeadersFile and exportClientCertificate'
      : 'check that the collector runs, that exportEndpoint and network policies reach it, and exportCertificate',
  );
}
