import { invalid } from '../config/problems.ts';
import type { Config } from '../config/schema.ts';
import { AgentError, EXIT } from '../errors.ts';
import type { CredentialFiles } from '../export/connect/credential-files.ts';
import type { Log } from '../log-events.ts';
import { checkpointKey } from './checkpoint-key.ts';
import { type OwnPod, ownPod } from './uninstall.ts';

/** What a valid configuration refers to outside of itself. */
export interface CheckedRun {
  /** the pod of an agent that detects its uninstall */
  readonly pod: OwnPod | undefined;
  /** what the export is authorized with; undefined: nothing is exported */
  readonly credentials: CredentialFiles | undefined;
}

/**
 * Checks the variables and files that a valid configuration refers to. A run begins with it, and
 * `config check` consists of it. Connects to nothing, and loads nothing of an export that is not
 * configured. Throws an error of the registry with exit code 78 and every problem.
 */
export async function checkRun(
  config: Config,
  env: NodeJS.ProcessEnv,
  log: Log,
): Promise<CheckedRun> {
  const problems: Error[] = [];
  const pod = attempt(problems, () => ownPod(config, env));
  attempt(problems, () => checkpointKey(config, () => {}));
  const credentials =
    config.exportEndpoint === '' ? undefined : await checkExport(config, env, log, problems);
  const [first, ...more] = problems;
  if (more.length > 0) throw invalid(problems.map(({ message }) => message));
  if (first !== undefined) throw first;
  return { pod, credentials };
}

async function checkExport(
  config: Config,
  env: NodeJS.ProcessEnv,
  log: Log,
  problems: Error[],
): Promise<CredentialFiles | undefined> {
  const { checkProtocol, readHeaders } = await import('../export/connect/environment.ts');
  const { CredentialFiles } = await import('../export/connect/credential-files.ts');
  const { evadableRules, parseRules } = await import('../export/read/rules.ts');
  for (const { text } of evadableRules(parseRules(config.exportRules)))
    log('export.rule_evadable', { rule: text });
  attempt(problems, () => checkProtocol(env));
  const fixedHeaders = attempt(problems, () => readHeaders(env)) ?? {};
  const files = {
    certificate: orNone(config.exportCertificate),
    clientCertificate: orNone(config.exportClientCertificate),
    clientKey: orNone(config.exportClientKey),
    token: orNone(config.exportTokenFile),
    headers: orNone(config.exportHeadersFile),
    fixedHeaders,
  };
  const onProblem = ({ message }: Error) => log('export.credentials_invalid', { error: message });
  return attempt(problems, () => new CredentialFiles(files, onProblem));
}

/** Returns what a step returns, or undefined if the configuration does not allow the step. */
function attempt<T>(problems: Error[], step: () => T): T | undefined {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof AgentError && error.exitCode === EXIT.configuration)) throw error;
    problems.push(error);
    return undefined;
  }
}

function orNone(path: string): string | undefined {
  return path === '' ? undefined : path;
}
