/** A cell that begins like this is a formula to a spreadsheet. */
const FORMULA = /^[\s']*[=+\-@|%]|^[\t\r\n]/;
/** Where the comma is the decimal separator, spreadsheets split lines at semicolons. */
const SPLITS = /[",;\r\n]/;

/**
 * Returns one line of CSV (RFC 4180). A text that a spreadsheet would read as a formula gets an
 * apostrophe in front; numbers stay as they are.
 */
export function csvLine(cells: readonly unknown[]): string {
  return `${cells.map(cell).join(',')}\r\n`;
}

function cell(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') return String(value);
  const text = FORMULA.test(value) ? `'${value}` : value;
  return SPLITS.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
