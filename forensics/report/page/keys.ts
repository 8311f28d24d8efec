/** The place in a tree at which a key was pressed. */
export interface Position {
  readonly line: number;
  readonly page: number;
  /** whether the line's children are visible; undefined: it has none */
  readonly open: boolean;
  readonly closed: boolean;
  /** the number of all lines */
  readonly levels: Int32Array;
}

/** The line to move to, or what to do with this one. */
export type Move = number | 'expand' | 'collapse' | 'expandBelow' | 'open' | 'next' | 'previous';

/**
 * Returns what a key does: the keys of a tree in the ARIA Authoring Practices, and n and N for
 * matches.
 */
export function moveFor(key: string, position: Position): Move | undefined {
  const { line, page, open, closed, levels } = position;
  const last = levels.length - 1;
  switch (key) {
    case 'ArrowDown':
      return Math.min(line + 1, last);
    case 'ArrowUp':
      return Math.max(line - 1, 0);
    case 'PageDown':
      return Math.min(line + page, last);
    case 'PageUp':
      return Math.max(line - page, 0);
    case 'Home':
      return 0;
    case 'End':
      return last;
    case 'ArrowRight':
      if (closed) return 'expand';
      return open ? Math.min(line + 1, last) : line;
    case 'ArrowLeft':
      return open ? 'collapse' : parentLine(line, levels);
    case 'n':
      return 'next';
    case 'N':
      return 'previous';
    case '*':
      return 'expandBelow';
    case 'Enter':
    case ' ':
      return 'open';
    default:
      return undefined;
  }
}

function parentLine(line: number, levels: Int32Array): number {
  const level = levels[line] ?? 1;
  for (let above = line - 1; above >= 0; above--) if ((levels[above] ?? 1) < level) return above;
  return line;
}
