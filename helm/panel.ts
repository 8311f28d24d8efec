import type { Panel } from '../deploy/dashboards/place-panels.ts';

/** A query of a panel, and the names of its lines. */
export interface Query {
  readonly expr: string;
  readonly legend: string;
}

const SOURCE = { type: 'prometheus', uid: '$datasource' };

/** Makes a panel that shows one number. */
export function stat(title: string, about: string, query: Query, unit = 'none'): Panel {
  return {
    ...panel('stat', title, about, unit, [query]),
    size: { w: 6, h: 4 },
    options: { reduceOptions: { calcs: ['lastNotNull'] }, colorMode: 'none' },
  };
}

/** Makes a panel that shows lines over time. */
export function timeseries(
  title: string,
  about: string,
  queries: readonly Query[],
  unit = 'short',
): Panel {
  return { ...panel('timeseries', title, about, unit, queries), size: { w: 8, h: 8 } };
}

/** Makes a headline over the panels that follow. */
export function row(title: string): Panel {
  return { type: 'row', title, collapsed: false, size: { w: 24, h: 1 } };
}

function panel(
  type: string,
  title: string,
  description: string,
  unit: string,
  queries: readonly Query[],
) {
  const targets = queries.map(({ expr, legend }, index) => ({
    refId: String.fromCharCode(65 + index),
    datasource: SOURCE,
    expr,
    legendFormat: legend,
  }));
  const defaults = { unit, min: 0 };
  return { type, title, description, datasource: SOURCE, fieldConfig: { defaults }, targets };
}
