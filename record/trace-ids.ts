/** Whether a text is the id of a trace: 32 lower-case hex digits that are not all zero. */
export function isTraceId(text: string): boolean {
  return /^(?!0{32})[0-9a-f]{32}$/.test(text);
}

/** Whether a text is the id of a span: 16 lower-case hex digits that are not all zero. */
export function isSpanId(text: string): boolean {
  return /^(?!0{16})[0-9a-f]{16}$/.test(text);
}
