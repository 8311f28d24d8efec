/** Whether a key is among those that are asked for: names, or globs in which `*` is any text. Pure. */
export function createGlobs(globs: readonly string[]): (key: string) => boolean {
  const pattern = globs.map((glob) => glob.split('*').map(RegExp.escape).join('.*')).join('|');
  const expression = new RegExp(`^(?:${pattern})$`, 's');
  return globs.length === 0 ? () => false : (key) => expression.test(key);
}
