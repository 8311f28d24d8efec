/** The file name of an open segment. */
export function segmentName(number: number): string {
  return `${String(number).padStart(20, '0')}.jsonl`;
}

/** Returns the name of the index of a compressed segment. */
export function indexName(number: number): string {
  return `${String(number).padStart(20, '0')}.index`;
}
