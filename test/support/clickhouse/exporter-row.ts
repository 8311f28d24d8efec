import { parseExact } from '../../../record/exact-json.ts';

/** A row as the Collector's exporter inserts it, by the names of the columns that matter here. */
export interface ExporterRow {
  readonly Timestamp: string;
  readonly EventName: string;
  readonly SeverityNumber: number;
  readonly ResourceAttributes: Readonly<Record<string, string>>;
  readonly LogAttributes: Readonly<Record<string, string>>;
}

type Line = Readonly<Record<string, unknown>> & {
  readonly actor: Readonly<Record<string, unknown>>;
};

/**
 * Returns the row that the Collector's exporter makes of a line, by the table in docs/export.md: all
 * values are texts there. test/e2e/export/clickhouse.test.ts proves it with the exporter itself.
 */
export function exporterRow(line: string): ExporterRow {
  const { actor, action, object, permitted_by, parent_cause, id, resource, attributes } =
    parseExact(line) as unknown as Line;
  const timestamp = /"timestamp":(\d+)/.exec(line)?.[1] ?? '';
  const cause = parent_cause === null ? {} : { 'vcml.parent_cause': parent_cause };
  return {
    Timestamp: `${timestamp.slice(0, -9)}.${timestamp.slice(-9)}`,
    EventName: `vcml.${action}`,
    SeverityNumber: action === 'journal.loss' ? 13 : 9,
    ResourceAttributes: texts(resource as Line),
    LogAttributes: texts({
      'log.record.uid': id,
      'process.pid': actor.pid,
      'process.parent_pid': actor.ppid,
      'process.real_user.id': actor.uid,
      'vcml.process.real_group.id': actor.gid,
      'vcml.process.comm': actor.comm,
      'vcml.object': object,
      'vcml.permitted_by': permitted_by,
      ...cause,
      ...(attributes as Line),
    }),
  };
}

/** Values as the exporter writes them: by key, and arrays as Go's JSON, which escapes HTML. */
function texts(values: Readonly<Record<string, unknown>>): Record<string, string> {
  const members = Object.entries(values).map(
    ([key, value]) =>
      [key, Array.isArray(value) ? escaped(JSON.stringify(value)) : String(value)] as const,
  );
  return Object.fromEntries(members.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

function escaped(text: string): string {
  return text.replaceAll(
    /[<>&\u2028\u2029]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
