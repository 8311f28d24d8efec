/** Whether the last line of the terminal is one that does not stay. */
let isPassing = false;

/** Shows a line on the terminal until the next one, or until something else is printed. */
export function showPassing(text: string): void {
  process.stderr.write(`\r\x1b[K${text}`);
  isPassing = true;
}

/** Removes the line that does not stay, if there is one. */
export function clearPassing(): void {
  if (isPassing) process.stderr.write('\r\x1b[K');
  isPassing = false;
}

/** Writes a remark to stderr. */
export function remark(text: string): void {
  clearPassing();
  process.stderr.write(`vcml: ${text}\n`);
}
