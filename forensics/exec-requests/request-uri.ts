/** What the address of a request asks for. */
export interface Asked {
  readonly container: string | undefined;
  /** undefined: it is not known how the server understands it */
  readonly command: readonly string[] | undefined;
}

/** A pod in which a request wants to execute. */
export interface Target {
  readonly namespace: string;
  readonly pod: string;
}

/**
 * Reads the query of a request as the API server does (net/url): the query begins at the first question
 * mark, a parameter with a semicolon or with a percent sign without two digits is left out, and of
 * `container` the first one counts.
 */
export function askedIn(uri: string): Asked {
  const begin = uri.indexOf('?');
  const container: Buffer[] = [];
  const command: Buffer[] = [];
  for (const parameter of begin < 0 ? [] : uri.slice(begin + 1).split('&')) {
    if (/;|%(?![0-9a-f]{2})/i.test(parameter)) continue;
    const equals = parameter.indexOf('=');
    const name = equals < 0 ? parameter : parameter.slice(0, equals);
    const value = bytesOf(equals < 0 ? '' : parameter.slice(equals + 1));
    if (bytesOf(name).equals(CONTAINER)) container.push(value);
    if (bytesOf(name).equals(COMMAND)) command.push(value);
  }
  const words = command.map(textIn);
  return {
    container: (container[0] && textIn(container[0])) || undefined,
    command: words.every((word) => word !== undefined) ? words : undefined,
  };
}

/** Reads the path of an exec through the API server's proxy of a kubelet; undefined: it is another one. */
export function proxiedExec(uri: string): (Target & Asked) | undefined {
  const [path = ''] = uri.split('?', 1);
  const [, verb, namespace = '', pod = '', container = ''] =
    /^\/api\/v1\/nodes\/[^/]+\/proxy\/+(exec|run)\/([^/]+)\/([^/]+)\/(?:[^/]+\/)?([^/]+)\/?$/.exec(
      path,
    ) ?? [];
  if (verb === undefined) return undefined;
  const { command } = askedIn(uri);
  return {
    namespace: decoded(namespace),
    pod: decoded(pod),
    container: decoded(container),
    // The kubelet splits the parameter `cmd` of /run itself.
    command: verb === 'exec' ? command : undefined,
  };
}

const CONTAINER = Buffer.from('container');
const COMMAND = Buffer.from('command');

function bytesOf(text: string): Buffer {
  const plain = Buffer.from(text.replaceAll('+', ' '));
  const bytes = Buffer.alloc(plain.length);
  let length = 0;
  for (let at = 0; at < plain.length; at += 1) {
    const isEscape = plain[at] === PERCENT;
    bytes[length] = isEscape
      ? Number.parseInt(plain.toString('latin1', at + 1, at + 3), 16)
      : (plain[at] as number);
    length += 1;
    if (isEscape) at += 2;
  }
  return bytes.subarray(0, length);
}

const PERCENT = 0x25;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textIn(bytes: Buffer): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
