import type { ByValue, Readings } from './readings.ts';

/** One metric, by OpenTelemetry's rules: a dotted name, a UCUM unit, at most one attribute. */
export interface Metric {
  readonly kind: 'counter' | 'gauge';
  readonly name: string;
  /** `s`, `By`, or what is counted, in braces */
  readonly unit: string;
  readonly description: string;
  /** what its values are told apart by */
  readonly attribute: string | undefined;
  /** Its values by the attribute's, without an attribute by ''; undefined: nothing is known. */
  read(readings: Readings): ByValue | undefined;
}

/** What a metric is: name, unit, description. */
type Description = readonly [name: string, unit: string, description: string];

type Read<T> = (readings: Readings) => T | undefined;

/** A number that only grows, from the start of what it counts. */
export function counter(description: Description, read: Read<number>): Metric {
  return metric('counter', description, undefined, plain(read));
}

/** The same, by the values of an attribute. */
export function counters(description: Description, attribute: string, read: Read<ByValue>): Metric {
  return metric('counter', description, attribute, read);
}

/** A number as it is now. */
export function gauge(description: Description, read: Read<number>): Metric {
  return metric('gauge', description, undefined, plain(read));
}

/** The same, by the values of an attribute. */
export function gauges(description: Description, attribute: string, read: Read<ByValue>): Metric {
  return metric('gauge', description, attribute, read);
}

const UNITS: Readonly<Record<string, string>> = { s: '_seconds', By: '_bytes' };

/**
 * The name in Prometheus' text format, by OpenTelemetry's specification ("Prometheus and
 * OpenMetrics Compatibility"): the unit in words, and `_total` for a counter.
 */
export function prometheusName({ kind, name, unit }: Metric): string {
  return `${prometheusLabel(name)}${UNITS[unit] ?? ''}${kind === 'counter' ? '_total' : ''}`;
}

/** An attribute's name as a label. */
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
