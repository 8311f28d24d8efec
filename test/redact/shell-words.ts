const PIECE = /'([^']*)'|\$'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\$]+|\$)|(\s+)/gsy;

/** The arguments that a POSIX shell makes of a line, without any expansion; also of `$'…'`. */
export function shellWords(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let end = 0;
  for (const match of line.matchAll(PIECE)) {
    const [all, single, dollar, double, escaped, plain, space] = match;
    end = match.index + all.length;
    if (space === undefined) {
      const text = single ?? unescaped(dollar, double) ?? escaped ?? plain ?? '';
      word = `${word ?? ''}${text}`;
    } else if (word !== undefined) {
      words.push(word);
      word = undefined;
    }
  }
  if (end !== line.length) throw new Error(`a quote is open in: ${line}`);
  return word === undefined ? words : [...words, word];
}

function unescaped(dollar: string | undefined, double: string | undefined): string | undefined {
  if (dollar !== undefined)
    return dollar.replaceAll(/\\(.)/gs, (_, it: string) => (it === 'n' ? '\n' : it));
  return double?.replaceAll(/\\(["\\$`])/g, '$1');
}
