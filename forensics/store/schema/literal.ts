/** Returns a string as a literal of ClickHouse's SQL, where a backslash escapes. */
export function literal(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** Returns strings as literals for a list in SQL, each once. */
export function literals(texts: Iterable<string>): string {
  return Array.from(new Set(texts), literal).join(', ');
}

/** Returns a name as ClickHouse's SQL quotes it. */
export function identifier(name: string): string {
  return `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
}

/** Returns the full name of a table of a store. */
export function tableOf(
  store: { readonly address: { readonly database: string } },
  name: string,
): string {
  return `${identifier(store.address.database)}.${identifier(name)}`;
}
