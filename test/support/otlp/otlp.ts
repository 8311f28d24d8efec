/**
 * Turns OTLP into lines of the journal: a request's bytes, or the JSON of the Collector's file
 * exporter.
 */

import { json } from '../../../record/line/json-text.ts';

/** opentelemetry/proto/common/v1 AnyValue, in OTLP's JSON form. */
export type AnyValue =
  | { readonly stringValue: string }
  | { readonly boolValue: boolean }
  | { readonly intValue: string | number }
  | { readonly arrayValue: { readonly values?: readonly AnyValue[] } };

export interface KeyValue {
  readonly key: string;
  readonly value: AnyValue;
}

export interface LogRecord {
  readonly timeUnixNano: string;
  readonly observedTimeUnixNano: string;
  readonly severityNumber: number;
  readonly eventName: string;
  readonly body: AnyValue;
  readonly attributes: readonly KeyValue[];
  readonly traceId?: string;
  readonly spanId?: string;
  readonly flags?: number;
}

/** An ExportLogsServiceRequest, or a line of the file exporter. */
export interface LogsData {
  readonly resourceLogs: readonly {
    readonly resource: { readonly attributes?: readonly KeyValue[] };
    readonly scopeLogs: readonly {
      readonly scope: { readonly name: string; readonly version: string };
      readonly logRecords: readonly LogRecord[];
      readonly schemaUrl?: string;
    }[];
    readonly schemaUrl?: string;
  }[];
}

/**
 * Returns the journal's lines from which these records were made, only by the table in
 * docs/export.md.
 */
export function linesOf(data: LogsData): string[] {
  return data.resourceLogs.flatMap(({ resource, scopeLogs }) =>
    scopeLogs.flatMap(({ logRecords }) =>
      logRecords.map((record) => lineOf(resource.attributes ?? [], record)),
    ),
  );
}

const CORE = [
  'log.record.uid',
  'process.pid',
  'process.parent_pid',
  'process.real_user.id',
  'vcml.process.real_group.id',
  'vcml.process.comm',
  'vcml.object',
  'vcml.permitted_by',
  'vcml.parent_cause',
];

function lineOf(resource: readonly KeyValue[], record: LogRecord): string {
  const core = (key: string) => {
    const found = record.attributes.find((attribute) => attribute.key === key);
    return found === undefined ? 'null' : textOf(found.value);
  };
  const attributes = record.attributes.filter(({ key }) => !CORE.includes(key));
  const action = record.eventName.replace(/^vcml\./, '');
  const isWithheld = action === 'journal.withheld';
  const actor = isWithheld
    ? ''
    : `"pid":${core('process.pid')},"ppid":${core('process.parent_pid')},` +
      `"uid":${core('process.real_user.id')},"gid":${core('vcml.process.real_group.id')},` +
      `"comm":${core('vcml.process.comm')}`;
  return (
    `{"id":${core('log.record.uid')},"timestamp":${record.timeUnixNano},` +
    `"actor":{${actor}},"action":${json(action)},` +
    `${isWithheld ? '' : `"object":${core('vcml.object')},`}` +
    `"permitted_by":${core('vcml.permitted_by')},"parent_cause":${core('vcml.parent_cause')},` +
    `"resource":${objectOf(resource)},"attributes":${objectOf(attributes)}}`
  );
}

function objectOf(attributes: readonly KeyValue[]): string {
  return `{${attributes.map(({ key, value }) => `${json(key)}:${textOf(value)}`).join(',')}}`;
}

function textOf(value: AnyValue): string {
  if ('stringValue' in value) return json(value.stringValue);
  if ('boolValue' in value) return String(value.boolValue);
  if ('intValue' in value) return String(value.intValue);
  return `[${(value.arrayValue.values ?? []).map(textOf).join(',')}]`;
}
