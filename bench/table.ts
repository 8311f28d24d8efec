import type { Spread } from './statistics.ts';

/** Formats rows of text in columns; the first row is the head. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    widths
      .map((width, column) => (row[column] ?? '').padEnd(width))
      .join('  ')
      .trimEnd();
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}

/** Formats a spread as `median (min–max)`. */
export function spreadText({ median, min, max }: Spread, digits = 1): string {
  return `${decimal(median, digits)} (${decimal(min, digits)}–${decimal(max, digits)})`;
}

/** Formats a number with so many digits, and with commas between thousands. */
export function decimal(value: number, digits = 1): string {
  return value.toLocaleString('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}
