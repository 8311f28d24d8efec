import { readFileSync } from 'node:fs';

/**
 * Makes a look-up of user names, from /etc/passwd as it is at the first call; a uid without a name
 * stays a number.
 */
export function createUserNames(file = '/etc/passwd'): (uid: number) => string {
  let names: Map<number, string> | undefined;
  return (uid) => {
    names ??= read(file);
    return names.get(uid) ?? String(uid);
  };
}

function read(file: string): Map<number, string> {
  const names = new Map<number, string>();
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    // an image without users
  }
  for (const line of text.split('\n')) {
    const [name, , uid] = line.split(':');
    if (name && uid && /^\d+$/.test(uid) && !names.has(Number(uid))) names.set(Number(uid), name);
  }
  return names;
}
