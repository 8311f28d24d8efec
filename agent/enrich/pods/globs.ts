/** Makes a test for keys: each glob is a name in which `*` stands for any text. Pure. */
export function createGlobs(globs: readonly string[]): (key: string) => boolean {
  const pattern = globs.map((glob) => glob.split('*').map(RegExp.escape).join('.*')).join('|');
  const expression = new RegExp(`^(?:${pattern})$`, 's');
  return globs.length === 0 ? () => false : (key) => expression.test(key);
}
