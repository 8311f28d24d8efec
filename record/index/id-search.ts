const ID_BITS = 32;

/** Whether a set with these values, of so many bits each, may have an id that begins with a text. */
export function mayHaveId(values: Uint32Array, bits: number, begin: string): boolean {
  const range = rangeOf(begin, bits);
  if (range === undefined) return false;
  const [first, last] = range;
  return (values[lowerBound(values, first)] ?? Number.POSITIVE_INFINITY) <= last;
}

/**
 * Returns the lowest and the highest of the first `bits` bits of all ids that begin with a text;
 * undefined: no id of the agent does.
 */
export function rangeOf(
  begin: string,
  bits: number,
): readonly [first: number, last: number] | undefined {
  const digits = begin.replaceAll('-', '').slice(0, ID_BITS / 4);
  if (!/^[0-9a-f]+$/.test(digits)) return undefined;
  const missing = ID_BITS - 4 * digits.length;
  const first = Number.parseInt(digits, 16) * 2 ** missing;
  return [shifted(first, bits), shifted(first + 2 ** missing - 1, bits)];
}

function shifted(value: number, bits: number): number {
  return bits === 0 ? 0 : value >>> (ID_BITS - bits);
}

/** Returns the place of the first value that is not below a number. */
function lowerBound(values: Uint32Array, number: number): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] as number) < number) low = middle + 1;
    else high = middle;
  }
  return low;
}
