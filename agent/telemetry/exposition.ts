import { Counter, Gauge, Registry } from 'prom-client';
import { prometheusLabel, prometheusName } from './metric.ts';
import { METRICS } from './metrics.ts';
import type { Readings } from './readings.ts';

/** The media type of the exposition. */
export const CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** Formats readings in Prometheus' text format; leaves out metrics without a value. */
export async function expose(readings: Readings): Promise<string> {
  // The agent counts elsewhere, so nothing is kept from one scrape to the next.
  const registry = new Registry();
  for (const metric of METRICS) {
    const values = metric.read(readings);
    if (values === undefined) continue;
    const labelNames = metric.attribute === undefined ? [] : [prometheusLabel(metric.attribute)];
    const config = {
      name: prometheusName(metric),
      help: metric.description,
      labelNames,
      registers: [registry],
    };
    const instrument = metric.kind === 'counter' ? new Counter(config) : new Gauge(config);
    for (const [value, number] of Object.entries(values))
      instrument.inc(Object.fromEntries(labelNames.map((name) => [name, value])), number);
  }
  return registry.metrics();
}
