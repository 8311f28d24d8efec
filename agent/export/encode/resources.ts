import type { LineReader } from '../../../record/line/reader.ts';
import { copyMember } from './key-value.ts';
import { ProtobufWriter } from './protobuf-writer.ts';

/** Field numbers and wire types: opentelemetry/proto/{logs,resource}/v1. */
const RESOURCE_LOGS = { resource: 0x0a };
const RESOURCE = { attributes: 0x0a };
/** Enough for the batches at hand: one that comes later again is another object, and no more. */
const RESOURCES_MAX = 128;

const [OPEN, CLOSE, COMMA] = [0x7b, 0x7d, 0x2c];

/** An encoded resource. Resources that are equal are the same object. */
export interface Resource {
  /** a field of ResourceLogs */
  readonly encoded: Uint8Array;
  /** the JSON text that lines have */
  readonly json: Uint8Array;
}

/**
 * Encodes the resources of lines, each of them once: most lines have the resource of the line
 * before.
 */
export class Resources {
  readonly #known = new Map<string, Resource>();
  readonly #writer = new ProtobufWriter();
  #last: Resource | undefined;

  /** Reads the JSON object at which the line reader stands. */
  read(line: LineReader): Resource {
    const from = line.at;
    const last = this.#last;
    // No JSON object is a prefix of another one.
    if (last !== undefined && isAt(line, last.json)) {
      line.move(line.bytes, from + last.json.length);
      return last;
    }
    const encoded = this.#encode(line);
    const key = line.bytes.toString('latin1', from, line.at);
    let resource = this.#known.get(key);
    if (resource === undefined) {
      if (this.#known.size >= RESOURCES_MAX) this.#known.clear();
      // Not a Buffer: a small Buffer keeps the whole pool alive that Node allocated it from.
      const json = new Uint8Array(line.bytes.subarray(from, line.at));
      resource = { encoded: Uint8Array.from(encoded), json };
      this.#known.set(key, resource);
    }
    this.#last = resource;
    return resource;
  }

  #encode(line: LineReader): Uint8Array {
    const writer = this.#writer;
    writer.clear();
    const start = writer.begin(RESOURCE_LOGS.resource);
    line.expectByte(OPEN);
    if (!line.takes(CLOSE)) {
      do copyMember(line, writer, RESOURCE.attributes);
      while (line.takes(COMMA));
      line.expectByte(CLOSE);
    }
    writer.end(start);
    return writer.written();
  }
}

function isAt({ bytes, at }: LineReader, json: Uint8Array): boolean {
  const end = at + json.length;
  return end <= bytes.length && bytes.compare(json, 0, json.length, at, end) === 0;
}
