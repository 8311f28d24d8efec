import type { Panel } from '../place-panels.ts';

/** The data source that the viewer chooses. */
export const SOURCE = { type: 'grafana-clickhouse-datasource', uid: '$datasource' };

/** Makes a panel that shows one number, red from 1 on if it should be 0. */
export function stat(title: string, about: string, sql: string, isBad: boolean): Panel {
  const steps = [{ color: 'green', value: null }, ...(isBad ? [{ color: 'red', value: 1 }] : [])];
  return {
    ...panel('stat', title, about, sql, { thresholds: { mode: 'absolute', steps } }),
    size: { w: 6, h: 4 },
    options: { reduceOptions: { calcs: ['lastNotNull'] }, colorMode: isBad ? 'value' : 'none' },
  };
}

/** Makes a panel that shows stacked bars over time. */
export function bars(title: string, about: string, sql: string): Panel {
  const stacking = { mode: 'normal', group: 'A' };
  const custom = { drawStyle: 'bars', fillOpacity: 80, lineWidth: 0, stacking };
  const defaults = { unit: 'short', min: 0, custom };
  return { ...panel('timeseries', title, about, sql, defaults), size: { w: 12, h: 8 } };
}

/** Makes a panel that shows a state for each node and hour; `states` has their texts and colors. */
export function history(
  title: string,
  about: string,
  sql: string,
  states: readonly (readonly [text: string, color: string])[],
): Panel {
  const options = Object.fromEntries(
    states.map(([text, color], state) => [state, { text, color, index: state }]),
  );
  const defaults = { mappings: [{ type: 'value', options }], custom: { fillOpacity: 80 } };
  return {
    ...panel('status-history', title, about, sql, defaults),
    size: { w: 24, h: 12 },
    options: { showValue: 'never', rowHeight: 0.9, legend: { showLegend: true } },
  };
}

/** Makes a panel with the rows of an answer. */
export function table(title: string, about: string, sql: string, w = 12): Panel {
  return { ...panel('table', title, about, sql, {}), size: { w, h: 9 } };
}

/** Makes a headline over the panels that follow. */
export function row(title: string): Panel {
  return { type: 'row', title, collapsed: false, size: { w: 24, h: 1 } };
}

function panel(type: string, title: string, description: string, rawSql: string, defaults: object) {
  const isOverTime = type === 'timeseries' || type === 'status-history';
  const target = {
    refId: 'A',
    datasource: SOURCE,
    editorType: 'sql',
    queryType: isOverTime ? 'timeseries' : 'table',
    format: isOverTime ? 0 : 1,
    rawSql,
  };
  return {
    type,
    title,
    description,
    datasource: SOURCE,
    fieldConfig: { defaults, overrides: [] },
    targets: [target],
  };
}
