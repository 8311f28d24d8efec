import type { AnyValue } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { VERSION } from './encode.ts';

const SCHEMA_URL = 'https://opentelemetry.io/schemas/1.45.0';
const instrumentationScope = { name: 'vcml-agent', version: VERSION, schemaUrl: SCHEMA_URL };

/** The record of an exec's line as OpenTelemetry's own exporters take it, by the table in docs/export.md. */
export function stockRecordOf(
  line: string,
  resource: ReadableLogRecord['resource'],
): ReadableLogRecord {
  const { id, actor, action, object, permitted_by, parent_cause, attributes } = JSON.parse(line);
  const [, seconds, nanos] = /"timestamp":(\d+)(\d{9}),/.exec(line) ?? [];
  const hrTime: [number, number] = [Number(seconds), Number(nanos)];
  const core: Record<string, AnyValue> = {
    'log.record.uid': id,
    'process.pid': actor.pid,
    'process.parent_pid': actor.ppid,
    'process.real_user.id': actor.uid,
    'vcml.process.real_group.id': actor.gid,
    'vcml.process.comm': actor.comm,
    'vcml.object': object,
    'vcml.permitted_by': permitted_by,
  };
  if (parent_cause !== null) core['vcml.parent_cause'] = parent_cause;
  return {
    hrTime,
    hrTimeObserved: hrTime,
    severityNumber: 9,
    eventName: `vcml.${action}`,
    body: `exec ${object} (pid ${actor.pid})`,
    resource,
    instrumentationScope,
    droppedAttributesCount: 0,
    attributes: { ...core, ...attributes },
  };
}

/** The resource of lines that have this one; the stock exporters group records by the object. */
export function stockResource(attributes: Record<string, string>): ReadableLogRecord['resource'] {
  return resourceFromAttributes(attributes, { schemaUrl: SCHEMA_URL });
}
