import { hash } from 'node:crypto';
import { isObject, type Json, parseExact, writeExact } from '../../record/exact-json.ts';

/** A row of a scan that may hold the same record as others. */
export interface Suspect {
  readonly row: number;
  /** the same for the same id */
  readonly id: bigint;
  readonly journal: string;
  /** Whether a collector may have delivered the record twice into this file. */
  readonly isDelivered: boolean;
}

/**
 * Returns the rows with a record that an earlier row has with the same content, in another journal
 * or delivered once more. The same line twice in one journal is something for the audit. `texts`
 * yields the lines of ascending rows.
 */
export async function rowsAgain(
  suspects: readonly Suspect[],
  texts: (
    rows: readonly number[],
  ) => AsyncIterable<{ readonly row: number; readonly text: string }>,
): Promise<number[]> {
  const groups = Map.groupBy(suspects, ({ id }) => id);
  for (const [id, group] of groups) if (!mayRepeat(group)) groups.delete(id);
  const same = await repeated([...groups.values()].flat(), texts, (text) => text.trim());
  // The same content can be written in several ways.
  const open = [...groups.values()].filter((group) => group.some(({ row }) => !same.has(row)));
  const rest = open.filter((group) => group.filter(({ row }) => !same.has(row)).length > 1);
  const also = await repeated(rest.flat(), texts, canonical);
  return [...new Set([...same, ...also])].sort((a, b) => a - b);
}

/** Whether one of them, in the order of their rows, may be in another journal or delivered once more. */
function mayRepeat([first, ...later]: readonly Suspect[]): boolean {
  return later.some((one) => one.isDelivered || one.journal !== first?.journal);
}

/** Where a content was met. */
interface Met {
  readonly journal: string;
  /** Whether it was met in another journal as well. */
  isInSeveral: boolean;
}

/** Returns the rows whose content an earlier suspect with the same id has. */
async function repeated(
  suspects: readonly Suspect[],
  texts: Parameters<typeof rowsAgain>[1],
  contentOf: (text: string) => string,
): Promise<Set<number>> {
  const byRow = new Map(suspects.map((one) => [one.row, one]));
  const seen = new Map<string, Met>();
  const again = new Set<number>();
  for await (const { row, text } of texts([...byRow.keys()].sort((a, b) => a - b))) {
    const suspect = byRow.get(row);
    if (suspect === undefined) continue;
    const key = `${suspect.id} ${hash('sha256', contentOf(text))}`;
    const { journal, isDelivered } = suspect;
    const earlier = seen.get(key);
    if (earlier === undefined) {
      seen.set(key, { journal, isInSeveral: false });
      continue;
    }
    const isElsewhere = earlier.journal !== journal;
    if (isDelivered || isElsewhere || earlier.isInSeveral) again.add(row);
    earlier.isInSeveral ||= isElsewhere;
  }
  return again;
}

/** The exact value, whatever the order of members and the white space. */
function canonical(text: string): string {
  try {
    return writeExact(sorted(parseExact(text)));
  } catch {
    return text;
  }
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([key, member]) => [key, sorted(member)]));
}
