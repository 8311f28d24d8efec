const SECONDS = Number(process.env.FUZZ_SECONDS ?? 1.5);

/** Pseudo-random numbers and what is made of them. */
export interface Random {
  /** A whole number from 0 to below `limit`. */
  below(limit: number): number;
  pick<T>(from: readonly T[]): T;
  bytes(length: number): Buffer;
  /** The bytes with some of them changed, cut, doubled or taken from elsewhere. */
  damaged(bytes: Buffer): Buffer;
}

/** Runs `round` for FUZZ_SECONDS; SEED repeats a run. An error contains its seed and round. */
export async function fuzz(round: (random: Random) => unknown): Promise<void> {
  const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
  const random = createRandom(seed);
  const end = performance.now() + SECONDS * 1000;
  let n = 0;
  try {
    for (; n === 0 || performance.now() < end; n++) await round(random);
  } catch (cause) {
    throw new Error(`round ${n}, SEED=${seed}: ${cause}`, { cause });
  }
  console.log(`${n} rounds, SEED=${seed}`);
}

/** Mulberry32: the same numbers for the same seed. */
export function createRandom(seed: number): Random {
  let state = seed;
  const below = (limit: number) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
  const pick = <T>(from: readonly T[]) => from[below(from.length)] as T;
  const bytes = (length: number) => Buffer.from(Array.from({ length }, () => below(256)));
  const damaged = (sound: Buffer) => {
    let result = Buffer.from(sound);
    for (let times = 1 + below(4); times > 0; times--) {
      const at = below(result.length + 1);
      const [before, after] = [result.subarray(0, at), result.subarray(at)];
      const part = after.subarray(0, below(40));
      switch (below(5)) {
        case 0:
          result = Buffer.concat([before, bytes(below(9)), after]);
          break;
        case 1:
          result = Buffer.concat([before, after.subarray(part.length)]);
          break;
        case 2:
          result = Buffer.concat([before, part, part, after]);
          break;
        case 3:
          result = Buffer.concat([before, Buffer.from(pick(HOSTILE)), after]);
          break;
        default:
          if (at < result.length) result.writeUInt8(below(256), at);
      }
    }
    return result;
  };
  return { below, pick, bytes, damaged };
}

/** What parsers stumble over. */
const HOSTILE = [
  'null',
  'true',
  '-1',
  '0',
  '1e999',
  '18446744073709551616',
  '9007199254740993',
  'NaN',
  '[]',
  '{}',
  '""',
  '[[',
  '{"__proto__":1}',
  '"constructor"',
  '\0',
  '\n',
  '\r\n',
  '\u2028',
  '\ufeff',
  '\\u0000',
  '../',
  '//',
  ':',
  ' - ',
  '&a *a',
  '!!binary x',
  '<<: *a',
  '? ',
  '%YAML',
];
