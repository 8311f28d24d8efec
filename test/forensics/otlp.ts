import type { Draft } from '../check/craft.ts';

/** Returns a record as the Collector's file exporter writes it (pdata's JSON). */
export function logRecord(record: Draft): object {
  const value = (one: unknown): object => {
    if (typeof one === 'string') return { stringValue: one };
    if (typeof one === 'boolean') return { boolValue: one };
    if (Array.isArray(one)) return { arrayValue: { values: one.map(value) } };
    return { intValue: String(one) };
  };
  const { pid, ppid, uid, gid, comm } = record.actor;
  const { id, object, permitted_by, parent_cause } = record as unknown as Record<
    string,
    string | null
  >;
  const core = {
    'log.record.uid': id,
    'process.pid': pid,
    'process.parent_pid': ppid,
    'process.real_user.id': uid,
    'vcml.process.real_group.id': gid,
    'vcml.process.comm': comm,
    'vcml.object': object,
    'vcml.permitted_by': permitted_by,
    ...(parent_cause === null ? {} : { 'vcml.parent_cause': parent_cause }),
  };
  return {
    timeUnixNano: String(record.timestamp),
    eventName: `vcml.${record.action}`,
    severityNumber: 9,
    body: { stringValue: 'for people' },
    attributes: Object.entries({ ...record.attributes, ...core })
      .filter(([, one]) => one !== undefined)
      .map(([key, one]) => ({ key, value: value(one) })),
  };
}

/** Returns one line of the file exporter with these log records. */
export function otlpLine(
  logRecords: readonly object[],
  resource: Readonly<Record<string, string>> = { 'host.name': 'node', 'os.type': 'linux' },
): string {
  const attributes = Object.entries(resource).map(([key, stringValue]) => ({
    key,
    value: { stringValue },
  }));
  return JSON.stringify({
    resourceLogs: [
      { resource: { attributes }, scopeLogs: [{ scope: { name: 'vcml-agent' }, logRecords }] },
    ],
  });
}
