import { type LineCount, MARK_LINES } from './count.ts';
import { type Line, readLines } from './lines.ts';

/**
 * Yields the lines at these places (ascending) of a file, and does not read the parts between marks
 * that have none of them.
 */
export async function* seekLines(
  path: string,
  places: readonly number[],
  marks: LineCount['marks'] = [],
): AsyncGenerator<Line> {
  for (let at = 0; at < places.length; ) {
    const mark = markBefore(marks, places[at] ?? 0);
    let end = at + 1;
    // Beginning again costs more than reading on to the next mark.
    while (end < places.length && isNear(places[end - 1] ?? 0, places[end] ?? 0, marks)) end += 1;
    const from = mark === undefined ? {} : { from: mark };
    yield* readLines(path, { places: places.slice(at, end), ...from });
    at = end;
  }
}

function isNear(place: number, next: number, marks: LineCount['marks']): boolean {
  return marks.length === 0 || next - place < 2 * MARK_LINES;
}

function markBefore(
  marks: LineCount['marks'],
  place: number,
): LineCount['marks'][number] | undefined {
  return marks[Math.floor(place / MARK_LINES)];
}
