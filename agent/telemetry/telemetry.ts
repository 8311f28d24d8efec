import type { ServerResponse } from 'node:http';
import type { Log } from '../log-events.ts';
import type { Address } from './address.ts';
import { Health, type Report } from './health.ts';
import { Listener, reply } from './listener.ts';
import type { Source } from './readings.ts';

export interface TelemetryOptions {
  readonly version: string;
  /** Whether pods' metadata is asked for. */
  readonly metadata: boolean;
  /** Where /metrics, /livez and /readyz are served; undefined: nowhere. */
  readonly address: Address | undefined;
  /** Where /livez and /readyz are served besides, so that nothing at `address` delays a probe. */
  readonly probeAddress: Address | undefined;
  readonly log: Log;
}

/** What the agent serves about itself: /metrics, /livez and /readyz. */
export class Telemetry {
  readonly health = new Health();
  readonly #options: TelemetryOptions;
  readonly #listeners: readonly Listener[];
  #source: Source | undefined;
  #isMetadataAvailable: boolean | undefined;

  constructor(options: TelemetryOptions) {
    this.#options = options;
    if (options.metadata) this.#isMetadataAvailable = true;
    const { address, probeAddress, log } = options;
    const probes = {
      '/livez': (response: ServerResponse) => report(response, this.health.live()),
      '/readyz': (response: ServerResponse) => report(response, this.health.ready()),
    };
    const metrics = { '/metrics': (response: ServerResponse) => this.#metrics(response) };
    this.#listeners = [
      ...(address ? [new Listener({ address, paths: { ...metrics, ...probes }, log })] : []),
      ...(probeAddress ? [new Listener({ address: probeAddress, paths: probes, log })] : []),
    ];
  }

  /** The agent records: from now on there is something to read. */
  begin(source: Source): void {
    this.#source = source;
    this.health.begin(source);
  }

  /** The metadata of pods cannot be had, or (undefined) can be again. */
  noteMetadata(problem: Error | undefined): void {
    this.#isMetadataAvailable = problem === undefined;
  }

  /** The agent ends: what was read from may be gone. */
  end(): void {
    this.#source = undefined;
    this.health.end();
  }

  close(): void {
    for (const listener of this.#listeners) listener.close();
  }

  async #metrics(response: ServerResponse): Promise<void> {
    // Loaded when somebody asks for the first time.
    const { CONTENT_TYPE, expose } = await import('./exposition.ts');
    const readings = {
      ...(await this.#source?.read()),
      version: this.#options.version,
      isJournalWritable: this.health.isJournalWritable,
      isMetadataAvailable: this.#isMetadataAvailable,
    };
    reply(response, 200, CONTENT_TYPE, await expose(readings));
  }
}

function report(response: ServerResponse, found: Report): void {
  const body = `${JSON.stringify(found)}\n`;
  reply(response, found.status === 'pass' ? 200 : 503, 'application/json', body);
}
