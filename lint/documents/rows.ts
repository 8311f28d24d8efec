/** The head of a Markdown table. */
export function header(...titles: readonly string[]): string {
  return `${row(...titles)}${row(...titles.map(() => '---'))}`;
}

/** A row of a Markdown table; an absent cell is empty. */
export function row(...cells: readonly (string | undefined)[]): string {
  return `| ${cells.map((cell = '') => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
}
