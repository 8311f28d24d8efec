import { equal } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../support/paths.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { BIN } from './network.ts';

const RULES = join(ROOT, 'deploy/alerts/vcml-agent.yaml');
const AGENT = '{job="vcml/vcml-agent",instance="10.0.0.9:9469",node="node-1"}';
const DAEMON_SET = '{daemonset="vcml-agent"}';
const HEALTHY = series(`vcml_agent_info${AGENT}`, '1x240');

/** One series, with a value every 30 s in the notation of Prometheus' tests. */
function series(name: string, values: string): string {
  return `{series: ${JSON.stringify(name)}, values: ${JSON.stringify(values)}}`;
}

/** Series, a time in minutes, and whether an alert fires then. */
const CASES: readonly (readonly [
  title: string,
  alert: string,
  minutes: number,
  fires: boolean,
  ...given: string[],
])[] = [
  [
    'an agent that answers is not missing',
    'VcmlAgentMissing',
    60,
    false,
    HEALTHY,
    series(`up${AGENT}`, '1x240'),
    series(`kube_daemonset_status_number_unavailable${DAEMON_SET}`, '0x240'),
  ],
  [
    'an agent that stops answering is missing after ten minutes',
    'VcmlAgentMissing',
    41,
    true,
    HEALTHY,
    series(`up${AGENT}`, '1x60 0x180'),
  ],
  [
    'an agent that is restarted, or updated on every node for a while, is not missing',
    'VcmlAgentMissing',
    34,
    false,
    HEALTHY,
    series(`up${AGENT}`, '1x60 0x3 1x180'),
    series(`kube_daemonset_status_number_unavailable${DAEMON_SET}`, '0x60 1x8 0x180'),
  ],
  [
    'an agent in a crash loop is missing, although it answers for a moment after each start',
    'VcmlAgentMissing',
    60,
    true,
    series(`up${AGENT}`, '0x9 1 '.repeat(12)),
    series(`vcml_agent_info${AGENT}`, '_x9 1 '.repeat(12)),
  ],
  [
    'a pod in a crash loop is missing, although it is ready for a moment after each start',
    'VcmlAgentMissing',
    60,
    true,
    HEALTHY,
    series(`kube_daemonset_status_number_unavailable${DAEMON_SET}`, '1x9 0 '.repeat(12)),
  ],
  ['no agent at all is missing', 'VcmlAgentMissing', 15, true, series('other', '1x240')],
  [
    'an agent that runs for some minutes, ends and starts again is restarting',
    'VcmlAgentRestarting',
    60,
    true,
    series(`process_uptime_seconds${AGENT}`, '0+30x29 '.repeat(4)),
  ],
  [
    'a container that restarts before it answers is restarting',
    'VcmlAgentRestarting',
    60,
    true,
    series(
      'kube_pod_container_status_restarts_total{container="agent",pod="vcml-agent-x2x"}',
      '0x20 1x20 2x20 3x20 4x20 5x20',
    ),
  ],
  [
    'an agent that restarted once is not restarting',
    'VcmlAgentRestarting',
    60,
    false,
    series(`process_uptime_seconds${AGENT}`, '0+30x50 0+30x60'),
    series(
      'kube_pod_container_status_restarts_total{container="agent",pod="vcml-agent-x2x"}',
      '0x50 1x70',
    ),
  ],
];

/** Writes a test for promtool: whether an alert fires, and with which labels does not matter. */
function promtoolTest(alert: string, minutes: number, fires: boolean, given: readonly string[]) {
  return `rule_files: [${JSON.stringify(RULES)}]
evaluation_interval: 30s
tests:
  - interval: 30s
    input_series: [${given.join(', ')}]
    promql_expr_test:
      - expr: 'count(ALERTS{alertname="${alert}",alertstate="firing"}) or vector(0)'
        eval_time: ${minutes}m
        exp_samples: [{labels: '{}', value: ${fires ? 1 : 0}}]
`;
}

for (const [title, alert, minutes, fires, ...given] of CASES)
  test(`${alert}: ${title}`, () => {
    const file = join(temporaryFolder(), 'alerts.test.yaml');
    writeFileSync(file, promtoolTest(alert, minutes, fires, given));
    const { status, stdout, stderr } = spawnSync(join(BIN, 'promtool'), ['test', 'rules', file], {
      encoding: 'utf8',
    });
    equal(status, 0, stdout + stderr);
  });
