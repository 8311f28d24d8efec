const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo';

/** Wire types: https://protobuf.dev/programming-guides/encoding */
const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;

type Field = { readonly number: number; readonly value: Uint8Array | number };

/**
 * The milliseconds that a google.rpc.Status asks to wait, in a RetryInfo among its details;
 * undefined where it has none, or is damaged.
 */
export function retryDelayOf(status: Uint8Array | undefined): number | undefined {
  if (status === undefined) return undefined;
  try {
    for (const detail of messagesOf(status, 3)) {
      const [type] = messagesOf(detail, 1);
      const [info] = messagesOf(detail, 2);
      if (type === undefined || Buffer.from(type).toString() !== RETRY_INFO) continue;
      const [delay] = messagesOf(info ?? new Uint8Array(), 1);
      return delay === undefined ? 0 : durationMs(delay);
    }
  } catch {
    // What cannot be read asks for nothing.
  }
  return undefined;
}

/** google.protobuf.Duration; 0 where it is negative: two's complement of 64 bits. */
function durationMs(duration: Uint8Array): number {
  let ms = 0;
  for (const { number, value } of fieldsOf(duration)) {
    if (typeof value !== 'number') continue;
    if (value >= 2 ** 63) return 0;
    if (number === 1) ms += value * 1000;
    if (number === 2) ms += value / 1e6;
  }
  return ms;
}

function messagesOf(message: Uint8Array, number: number): Uint8Array[] {
  return [...fieldsOf(message)]
    .filter((field) => field.number === number)
    .flatMap(({ value }) => (typeof value === 'number' ? [] : [value]));
}

function* fieldsOf(message: Uint8Array): Generator<Field> {
  let at = 0;
  function varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 0x80) {
      const byte = message[at++];
      if (byte === undefined) throw new RangeError('a message that is cut');
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }
  while (at < message.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    const type = tag % 8;
    if (type === VARINT) yield { number, value: varint() };
    else {
      const length = type === LENGTH ? varint() : { [FIXED64]: 8, [FIXED32]: 4 }[type];
      if (length === undefined || at + length > message.length)
        throw new RangeError('a message that is damaged');
      yield { number, value: message.subarray(at, at + length) };
      at += length;
    }
  }
}
