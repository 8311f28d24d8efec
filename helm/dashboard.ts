import { type Panel, placePanels } from '../deploy/dashboards/place-panels.ts';
import type { Query } from './panel.ts';
import { row, stat, timeseries } from './panel.ts';

const NODE = '{node=~"$node"}';

/** The dashboard for Grafana; the most important panels are at the top. */
export function dashboard(): object {
  return {
    title: 'vcml-agent',
    uid: 'vcml-agent',
    tags: ['vcml-agent'],
    schemaVersion: 39,
    editable: true,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', type: 'datasource', query: 'prometheus', label: 'Data source' },
        {
          name: 'node',
          type: 'query',
          label: 'Node',
          includeAll: true,
          multi: true,
          datasource: { type: 'prometheus', uid: '$datasource' },
          refresh: 2,
          sort: 1,
          query: 'label_values(vcml_agent_info, node)',
          current: { text: 'All', value: '$__all' },
        },
      ],
    },
    panels: placePanels(PANELS),
  };
}

const PANELS: readonly Panel[] = [
  stat('Agents', 'Number of agents that answer.', query(`count(vcml_agent_info${NODE})`)),
  stat(
    'Recording',
    'Number of agents that have a hook.',
    query(`count(vcml_hook_execs_total${NODE})`),
  ),
  stat(
    'Lost in 24 h',
    'Number of lost records, without those that were deleted for space.',
    query(
      'sum(increase(vcml_lost_records_total{node=~"$node",vcml_loss_stage!="retention"}[24h])) or vector(0)',
    ),
  ),
  stat(
    'Shortest journal',
    'Time that the journal covers, on the node where it is shortest.',
    query(`min(vcml_journal_retention_seconds${NODE})`),
    's',
  ),
  row('Records'),
  timeseries('Execs recorded', 'Execs a second.', [
    query(`sum by (node) (rate(vcml_records_total${NODE}[$__rate_interval]))`, '{{node}}'),
  ]),
  timeseries('Gaps', 'Records without a known cause, a second, by reason.', [
    query(
      `sum by (vcml_gap_reason) (rate(vcml_gaps_total${NODE}[$__rate_interval]))`,
      '{{vcml_gap_reason}}',
    ),
  ]),
  timeseries('Losses', 'Number of journal.loss records, by node and stage.', [
    query(
      `sum by (node, vcml_loss_stage) (increase(vcml_losses_total${NODE}[$__rate_interval])) > 0`,
      '{{node}} {{vcml_loss_stage}}',
    ),
  ]),
  row('Kernel'),
  timeseries(
    'Ring buffer',
    'Share of the ring buffer that is not in the journal yet. Above one half, arguments are cut.',
    [query(`vcml_ring_usage_bytes${NODE} / vcml_ring_limit_bytes${NODE}`, '{{node}}')],
    'percentunit',
  ),
  timeseries(
    'Table of causes',
    'Share of the table that is in use. A process without an entry is recorded as untracked.',
    [query(`vcml_table_usage${NODE} / vcml_table_limit${NODE}`, '{{node}}')],
    'percentunit',
  ),
  timeseries(
    'Programs',
    'CPU time in the kernel. Measured only while the sysctl kernel.bpf_stats_enabled is 1.',
    [
      query(
        `sum by (bpf_program_name) (rate(vcml_bpf_time_seconds_total${NODE}[$__rate_interval]))`,
        '{{bpf_program_name}}',
      ),
    ],
    's',
  ),
  row('Journal'),
  timeseries(
    'Disk usage',
    'Size of all segments of a node.',
    [
      query(`vcml_journal_usage_bytes${NODE}`, '{{node}}'),
      query(`max(vcml_journal_limit_bytes${NODE})`, 'limit'),
    ],
    'bytes',
  ),
  timeseries(
    'Time covered',
    'Time that the journal covers now, and at the current rate once it is full.',
    [
      query(`vcml_journal_retention_seconds${NODE}`, '{{node}}'),
      query(`vcml_journal_retention_expected_seconds${NODE}`, '{{node}}, expected'),
    ],
    's',
  ),
  timeseries('Writable', '1 if the journal can be written. At 0 the ring buffer fills.', [
    query(`vcml_journal_writable${NODE}`, '{{node}}'),
  ]),
  timeseries('Pod metadata', '1 if the API server or the kubelet can be read.', [
    query(`vcml_metadata_available${NODE}`, '{{node}}'),
  ]),
  row('Export'),
  timeseries(
    'Lag',
    'Age of the last exported record while others wait.',
    [query(`vcml_export_lag_time_seconds${NODE}`, '{{node}}')],
    's',
  ),
  timeseries('Waiting', 'Lines of the journal that are not exported yet.', [
    query(`vcml_export_lag_records${NODE}`, '{{node}}'),
  ]),
  timeseries('Exported', 'Records a second, by outcome.', [
    query(
      `sum by (vcml_export_outcome) (rate(vcml_export_records_total${NODE}[$__rate_interval]))`,
      '{{vcml_export_outcome}}',
    ),
  ]),
  timeseries(
    'Failed calls',
    'Failed calls a second, by gRPC code. The agent sends their records again.',
    [
      query(
        `sum by (rpc_response_status_code) (rate(vcml_export_failures_total${NODE}[$__rate_interval]))`,
        'code {{rpc_response_status_code}}',
      ),
    ],
  ),
  row('Agent'),
  timeseries(
    'CPU',
    'CPU cores in use.',
    [
      query(
        `sum by (node) (rate(process_cpu_time_seconds_total{node=~"$node",job=~".*vcml-agent.*"}[$__rate_interval]))`,
        '{{node}}',
      ),
    ],
    'none',
  ),
  timeseries(
    'Memory',
    'Resident memory, which includes the mapped ring buffer.',
    [query('process_memory_usage_bytes{node=~"$node",job=~".*vcml-agent.*"}', '{{node}}')],
    'bytes',
  ),
];

function query(expr: string, legend = ''): Query {
  return { expr, legend };
}
