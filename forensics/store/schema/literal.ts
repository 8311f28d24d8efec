/** Returns a string as a literal of ClickHouse's SQL, where a backslash escapes. */
export function literal(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
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
