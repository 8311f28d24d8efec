import { readFileSync } from 'node:fs';
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Scalar,
} from 'yaml';

/** One key of a configuration file. */
export interface Entry {
  readonly key: string;
  readonly value: unknown;
  /** The value with the texts of numbers as they stand in the file, such as `007` or `1.10`. */
  readonly asText: unknown;
  /** such as `/etc/vcml-agent.yaml:3` */
  readonly where: string;
}

/** The keys of a YAML file, and every reason why it is not a map of options. */
export interface FileContent {
  readonly entries: readonly Entry[];
  readonly problems: readonly string[];
}

/** Reads a file of options; returns its problems and throws none. */
export function readConfigFile(file: string): FileContent {
  try {
    return contentOf(file, readFileSync(file, 'utf8'));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { entries: [], problems: [`${file}: ${why}`] };
  }
}

function contentOf(file: string, text: string): FileContent {
  const lineCounter = new LineCounter();
  // `error`: warnings are reported below, as problems with their lines.
  const document = parseDocument(text, { lineCounter, prettyErrors: false, logLevel: 'error' });
  const at = (offset: number) => `${file}:${lineCounter.linePos(offset).line}`;
  const damages = [...document.errors, ...document.warnings];
  if (damages.length > 0)
    return {
      entries: [],
      problems: damages.map(({ pos, message }) => `${at(pos[0])}: ${message}`),
    };

  const { contents } = document;
  if (contents === null || (isScalar(contents) && contents.value === null))
    return { entries: [], problems: [] };
  if (!isMap(contents)) return { entries: [], problems: [`${file}: must be a map of options`] };

  const entries: Entry[] = [];
  const problems: string[] = [];
  for (const { key, value } of contents.items) {
    const where = at((isNode(key) && key.range?.[0]) || 0);
    if (isScalar(key) && key.value !== null)
      entries.push({
        key: `${textOf(key)}`,
        value: isNode(value) ? value.toJS(document) : value,
        asText: textIn(value, document),
        where,
      });
    else problems.push(`${where}: a key must be the name of an option`);
  }
  return { entries, problems };
}

/** Returns the value of a node, in which numbers and words such as `true` stay texts. */
function textIn(node: unknown, document: Document): unknown {
  const found = isAlias(node) ? node.resolve(document) : node;
  if (isScalar(found)) return textOf(found);
  if (isSeq(found)) return found.items.map((item) => textIn(item, document));
  return isNode(found) ? found.toJS(document) : found;
}

function textOf({ value, source }: Scalar): unknown {
  const isLost = typeof value === 'number' || typeof value === 'boolean';
  return isLost ? (source ?? `${value}`) : value;
}
