import { status } from '@grpc/grpc-js';
import type { ExportResponse } from '@opentelemetry/otlp-exporter-base';
import { type LogsData, linesOf } from '../../support/otlp/otlp.ts';
import { decodeRequest } from '../../support/otlp/protobuf.ts';
import { REFUSED } from '../../support/scripted/script.ts';
import type { Seeded } from '../../support/scripted/seeded.ts';

/** What the collector is like for a while. */
type Weather =
  /** It takes everything that is sound. */
  | { readonly kind: 'fine' }
  /** It takes nothing, and answers with a code. */
  | { readonly kind: 'down'; readonly code: number }
  /** It takes everything, and its answer is lost. */
  | { readonly kind: 'late'; readonly code: number }
  /** It takes so many records at once. */
  | { readonly kind: 'narrow'; readonly records: number }
  /** What one of its parts must take fails, and all that is with it. */
  | { readonly kind: 'partly'; readonly part: number; readonly code: number };

const { UNAVAILABLE, DEADLINE_EXCEEDED, ABORTED, CANCELLED, OUT_OF_RANGE, DATA_LOSS } = status;
const TRANSIENT = [UNAVAILABLE, DEADLINE_EXCEEDED, ABORTED, CANCELLED, OUT_OF_RANGE, DATA_LOSS];
const FOREIGN = [status.INTERNAL, status.UNKNOWN, status.UNAUTHENTICATED, status.UNIMPLEMENTED];
const PARTS = 3;
const WEATHER_MS = 8000;

/** What a collector is like most of the time. */
interface CollectorTraits {
  /** the longest time until it answers */
  readonly answerMs: number;
  /** how often nothing is wrong with it */
  readonly finePercent: number;
}

/** Where the agent runs. */
interface Sender {
  readonly clock: { readonly now: number };
  later<T>(begin: () => T, end: (begun: T) => T, ms: number): Promise<T>;
}

/** What receives the export. It is another machine, and outlives every power cut. */
export class Collector {
  /** The lines that it has taken, in their order. */
  readonly received: string[] = [];
  readonly findings: string[] = [];
  /** It takes everything that is sound from now on. */
  isFine = false;
  readonly #seeded: Seeded;
  readonly #traits: CollectorTraits;
  #weather: Weather = { kind: 'fine' };
  #until = 0;

  constructor(seeded: Seeded, traits: CollectorTraits) {
    this.#seeded = seeded;
    this.#traits = traits;
  }

  /** Takes a request, reads it as late as a connection may, and answers later still. */
  receive(machine: Sender, request: Uint8Array): Promise<ExportResponse> {
    return machine.later(
      () => {
        const lines = this.#read(request);
        return lines === undefined
          ? failure(status.INTERNAL)
          : this.#answer(lines, machine.clock.now);
      },
      (answer) => answer,
      this.#seeded.below(this.#traits.answerMs),
    );
  }

  #read(request: Uint8Array): string[] | undefined {
    try {
      return linesOf(decodeRequest(Buffer.from(request)) as LogsData);
    } catch (error) {
      this.findings.push(`a request is damaged: ${error}`);
      return undefined;
    }
  }

  #answer(lines: readonly string[], now: number): ExportResponse {
    const weather = this.#weatherAt(now);
    if (weather.kind === 'down') return failure(weather.code);
    if (weather.kind === 'narrow' && lines.length > weather.records)
      return failure(status.RESOURCE_EXHAUSTED);
    if (weather.kind === 'partly' && lines.some((line) => partOf(line) === weather.part))
      return failure(weather.code);
    if (lines.some((line) => line.includes(REFUSED))) return failure(status.INVALID_ARGUMENT);
    this.received.push(...lines);
    return weather.kind === 'late'
      ? failure(weather.code)
      : { status: 'success', data: Buffer.alloc(0) };
  }

  #weatherAt(now: number): Weather {
    if (this.isFine) return { kind: 'fine' };
    if (now < this.#until) return this.#weather;
    const { below, among, percent } = this.#seeded;
    this.#until = now + below(WEATHER_MS);
    this.#weather = percent(this.#traits.finePercent)
      ? { kind: 'fine' }
      : among<Weather>([
          { kind: 'down', code: among([...TRANSIENT, ...FOREIGN]) },
          { kind: 'late', code: among(TRANSIENT) },
          { kind: 'narrow', records: 1 + below(4) },
          { kind: 'partly', part: below(PARTS), code: among(TRANSIENT) },
        ]);
    return this.#weather;
  }
}

/** The part of the collector that must take a line, by its id. */
function partOf(line: string): number {
  return line.charCodeAt(9) % PARTS;
}

function failure(code: status): ExportResponse {
  const details = `simulated: ${status[code]}`;
  return { status: 'failure', error: Object.assign(new Error(details), { code, details }) };
}
