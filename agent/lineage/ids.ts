import { hash } from 'node:crypto';
import { type BootTime, nanosecondsOf } from '../record.ts';

/** Ids of one boot: RFC 9562 UUIDv5 in the namespace of the kernel's boot id, lower case. */
export interface Ids {
  /** The id of an exec: of its boot time and process. */
  exec(bootTime: BootTime, pid: number): string;
  /** The id of a record about the journal: the n-th of its run, from 0. */
  journal(bootTime: BootTime, action: string, n: number): string;
}

const NAME_BYTES_MAX = 64;

/** Ids in the namespace bootId, a UUID. */
export function createIds(bootId: string): Ids {
  const namespace = Buffer.from(bootId.replaceAll('-', ''), 'hex');
  const input = Buffer.concat([namespace, Buffer.alloc(NAME_BYTES_MAX)]);
  const uuid = (name: string) => {
    const end = namespace.length + input.write(name, namespace.length, 'latin1');
    return uuidOf(hash('sha1', input.subarray(0, end), 'hex'));
  };
  return {
    exec: (bootTime, pid) => uuid(`${nanosecondsOf(bootTime)}:${pid}`),
    journal: (bootTime, action, n) => uuid(`${nanosecondsOf(bootTime)}:${action}:${n}`),
  };
}

function uuidOf(hex: string): string {
  const variant = '89ab'[Number.parseInt(hex[16] ?? '', 16) & 3];
  const [a, b, c] = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(13, 16)];
  return `${a}-${b}-5${c}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
