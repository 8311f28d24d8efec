/**
 * What a record is named by in the page and in its addresses: `ID.TIME.NODE`, because several nodes may
 * claim one id. An id alone is a name, too.
 */

/** Returns the name of a record. */
export function nameFor(id: string, time: bigint | undefined, node: unknown): string {
  const isPlaced = typeof node === 'string' && node !== '' && time !== undefined && time >= 0n;
  if (!isPlaced) return id;
  return `${encodeURIComponent(id).replaceAll('.', '%2E')}.${time}.${node}`;
}

/** Returns a question about the record with a name: its path, and its parameters. */
export function questionAbout(
  question: 'record' | 'children',
  name: string,
  more: Readonly<Record<string, string>> = {},
): [path: string, parameters: URLSearchParams] {
  const { id, at, on } = partsOf(name);
  const which = at === undefined || on === undefined ? {} : { at, on };
  const path = `/api/${question}/${encodeURIComponent(id)}`;
  return [path, new URLSearchParams({ ...which, ...more })];
}

/** Whether a name means the record with this full name. */
export function isNameOf(name: string, full: string | undefined): boolean {
  return name === full || (full !== undefined && partsOf(full).id === name);
}

function partsOf(name: string): { readonly id: string; at?: string; on?: string } {
  const [, id, at, on] = /^([^.]+)\.(\d{1,19})\.(.+)$/s.exec(name) ?? [];
  if (id === undefined || at === undefined || on === undefined) return { id: name };
  try {
    return { id: decodeURIComponent(id), at, on };
  } catch {
    return { id: name };
  }
}
