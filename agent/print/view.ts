/**
 * The parts of a record that a readable line shows. Its strings are not safe until made visible.
 */
export interface View {
  readonly id: string;
  readonly action: string;
  readonly timeMs: number;
  readonly pid: number;
  readonly uid: number;
  readonly comm: string;
  readonly object: string;
  readonly parentCause: string | undefined;
  readonly resource: Readonly<Record<string, unknown>>;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** Reads a journal line; undefined if it is not a record. */
export function viewOf(line: string): View | undefined {
  try {
    const record = JSON.parse(line);
    return {
      id: String(record.id),
      action: String(record.action),
      // a double is exact enough for milliseconds
      timeMs: Number(record.timestamp) / 1e6,
      pid: Number(record.actor.pid),
      uid: Number(record.actor.uid),
      comm: String(record.actor.comm),
      object: String(record.object),
      parentCause: record.parent_cause ?? undefined,
      resource: record.resource ?? {},
      attributes: record.attributes ?? {},
    };
  } catch {
    return undefined;
  }
}
