import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ByteWriter } from './line/byte-writer.ts';
import { type BootTime, nanosecondsOf, rangeTexts, type Uuid, type Withheld } from './types.ts';
import { createUuidv5, dashed, NAME_AT } from './uuid.ts';

const COLON = Buffer.from(':');

/** Returns the id of this machine's current boot, a UUID. */
export function readBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/** The ids of one boot: RFC 9562 UUIDv5 in the namespace of the kernel's boot id, in lower case. */
export interface Ids {
  /** Returns the id of an exec, from its boot time and process. */
  exec(bootTime: BootTime, pid: number): Uuid;
  /** Returns the id of a record about the journal: the n-th of its run, from 0. */
  journal(bootTime: BootTime, action: string, n: number): string;
}

/** Makes the ids in the namespace bootId, a UUID. */
export function createIds(bootId: string): Ids {
  const namespace = Buffer.from(bootId.replaceAll('-', ''), 'hex');
  const uuid = createUuidv5(namespace);
  const name = new ByteWriter();
  return {
    exec: (bootTime, pid) => {
      name.move(uuid.block, NAME_AT);
      name.nanoseconds(bootTime);
      name.bytes(COLON);
      name.integer(pid);
      return uuid.of(name.at);
    },
    journal: (bootTime, action, n) =>
      longUuidv5(namespace, `${nanosecondsOf(bootTime)}:${action}:${n}`),
  };
}

/** Returns the id of a `journal.withheld`, which follows from its numbers alone. */
export function withheldId(bootId: string, { hookId, cpu, ranges }: Withheld): string {
  return longUuidv5(
    Buffer.from(bootId.replaceAll('-', ''), 'hex'),
    `${hookId}:journal.withheld:${cpu}:${rangeTexts(ranges).join(',')}`,
  );
}

/** Returns the UUIDv5 of a name of any length. */
function longUuidv5(namespace: Buffer, name: string): string {
  const hash = createHash('sha1').update(namespace).update(name).digest();
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  return dashed(hash.toString('hex', 0, 16));
}
