import { type Panel, placePanels } from '../place-panels.ts';
import { bars, history, row, SOURCE, stat, table } from './panel.ts';
import { SQL, VALUES } from './sql.ts';

/** Returns the dashboard over the tables of a store, for Grafana's data source for ClickHouse. */
export function dashboard(): object {
  return {
    title: 'vcml: the memory of the fleet',
    uid: 'vcml-store',
    tags: ['vcml-agent'],
    schemaVersion: 39,
    editable: true,
    time: { from: 'now-24h', to: 'now' },
    templating: {
      list: [
        {
          name: 'datasource',
          type: 'datasource',
          query: SOURCE.type,
          label: 'Data source',
        },
        {
          name: 'database',
          type: 'textbox',
          label: 'Database',
          query: 'vcml',
          current: { text: 'vcml', value: 'vcml' },
        },
        ...Object.entries(VALUES).map(([name, query]) => ({
          name,
          type: 'query',
          label: `${name[0]?.toUpperCase()}${name.slice(1)}`,
          includeAll: true,
          multi: true,
          datasource: SOURCE,
          refresh: 2,
          sort: 1,
          query,
          current: { text: 'All', value: '$__all' },
        })),
      ],
    },
    panels: placePanels(PANELS),
  };
}

const PANELS: readonly Panel[] = [
  stat('Nodes', 'Number of nodes with execs in this time.', SQL.nodes, false),
  stat(
    'Silent nodes',
    'Number of nodes without a record in the last hour of this time.',
    SQL.silentCount,
    true,
  ),
  stat(
    'Lost records',
    'Number of records that agents reported as lost, without those that were deleted for space.',
    SQL.lost,
    true,
  ),
  stat(
    'Unexplained',
    'Number of execs that did not arrive, and that no agent reported as lost or withheld by rules. `vcml audit` locates them.',
    SQL.unexplained,
    true,
  ),
  row('What ran'),
  bars('Execs by node', 'Number of execs on the 20 nodes with most of them.', SQL.execs),
  table('Top executables', 'Executables by their number of execs.', SQL.programs),
  table(
    'Executables that are new',
    'Executables that ran for the first time in this time, for each image. The selection of a pod does not count here.',
    SQL.firstSeen,
    24,
  ),
  row('What is missing'),
  bars(
    'Losses and holes',
    'Number of execs that are missing by hour, and why. The hour of a hole is that of the record behind it.',
    SQL.holes,
  ),
  bars('Gaps by reason', 'Number of execs whose cause is unknown, by reason.', SQL.gaps),
  history(
    'Completeness by node and hour',
    'The 50 nodes with the most serious reasons. An hour without a record is empty. Numbers before the first record of a hook are not judged.',
    SQL.completeness,
    [
      ['complete', 'green'],
      ['losses', 'orange'],
      ['holes that nothing explains', 'red'],
    ],
  ),
  table('Silent nodes', 'Nodes without a record in the last hour of this time.', SQL.silent),
  table(
    'Starts, stops and losses',
    'Records about the journals of nodes, the newest first.',
    SQL.journal,
  ),
];
