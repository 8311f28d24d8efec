import { visible } from '../../../record/visible.ts';
import type { Config } from '../../config/schema.ts';
import { EXIT } from '../../errors.ts';
import { type CheckedRun, checkRun } from '../../run/check-run.ts';
import { createLog } from '../../telemetry/log.ts';
import { connectionChecks } from './connections.ts';
import { containerChecks } from './containers.ts';
import { type Check, type Finding, findingOf, ok } from './finding.ts';
import { machineChecks } from './machine.ts';

/**
 * Prints what the agent needs on this node, a line for each check as soon as it is known; returns 0 if
 * nothing fails.
 */
export async function checkNode(
  config: Config,
  env: NodeJS.ProcessEnv,
  { output }: { readonly output: 'text' | 'json' },
): Promise<number> {
  const findings: Finding[] = [];
  const log = createLog('error');
  const checked = checkRun(config, env, log);
  for (const [name, check] of [
    configurationCheck(checked),
    ...machineChecks(config),
    ...containerChecks(config),
    ...connectionChecks(config, checked, log),
  ]) {
    const finding = await findingOf(name, check);
    findings.push(finding);
    if (output === 'text') process.stdout.write(lineOf(finding));
  }
  if (output === 'json') process.stdout.write(`${JSON.stringify(findings, null, 2)}\n`);
  return findings.some(({ result }) => result === 'failed') ? EXIT.checkFailed : 0;
}

/** Says what `config check` would refuse. */
function configurationCheck(checked: Promise<CheckedRun>): [string, Check] {
  return [
    'configuration',
    async () => {
      await checked;
      return ok('a run would accept it');
    },
  ];
}

/** Text from files and servers cannot control the terminal. */
function lineOf({ name, result, found, remedy }: Finding): string {
  const text = remedy === undefined ? found : `${found}; ${remedy}`;
  return `${result.padEnd(7)} ${name.padEnd(13)} ${visible(text)}\n`;
}
