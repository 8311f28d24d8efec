import type { ByValue, Readings } from './readings.ts';

/** One metric, named by OpenTelemetry's rules: a dotted name, a UCUM unit, at most one attribute. */
export interface Metric {
  readonly kind: 'counter' | 'gauge';
  readonly name: string;
  /** `s`, `By`, or what is counted, in braces */
  readonly unit: string;
  readonly description: string;
  /** the attribute that distinguishes its values */
  readonly attribute: string | undefined;
  /** Reads its values by those of the attribute, or by '' without one; undefined if there is none. */
  read(readings: Readings): ByValue | undefined;
}

/** Name, unit and description of a metric. */
type Description = readonly [name: string, unit: string, description: string];

type Read<T> = (readings: Readings) => T | undefined;

/** Makes a metric that only grows. */
export function counter(description: Description, read: Read<number>): Metric {
  return metric('counter', description, undefined, plain(read));
}

/** Makes metrics that only grow, one for each value of an attribute. */
export function counters(description: Description, attribute: string, read: Read<ByValue>): Metric {
  return metric('counter', description, attribute, read);
}

/** Makes a metric that shows a current value. */
export function gauge(description: Description, read: Read<number>): Metric {
  return metric('gauge', description, undefined, plain(read));
}

/** Makes metrics that show current values, one for each value of an attribute. */
export function gauges(description: Description, attribute: string, read: Read<ByValue>): Metric {
  return metric('gauge', description, attribute, read);
}

const UNITS: Readonly<Record<string, string>> = { s: '_seconds', By: '_bytes' };

/**
 * Returns the name in Prometheus' text format, by OpenTelemetry's specification ("Prometheus and
 * OpenMetrics Compatibility"): the unit in words, and `_total` for a counter.
 */
export function prometheusName({ kind, name, unit }: Metric): string {
  return `${prometheusLabel(name)}${UNITS[unit] ?? ''}${kind === 'counter' ? '_total' : ''}`;
}

/** Returns the name of an attribute as a label. */
export function prometheusLabel(attribute: string): string {
  return attribute.replaceAll('.', '_');
}

function metric(
  kind: Metric['kind'],
  [name, unit, description]: Description,
  attribute: string | undefined,
  read: Metric['read'],
): Metric {
  return { kind, name, unit, description, attribute, read };
}

function plain(read: Read<number>): Metric['read'] {
  return (readings) => {
    const value = read(readings);
    return value === undefined ? undefined : { '': value };
  };
}
