import type { ServerResponse } from 'node:http';
import type { Log } from '../log-events.ts';
import type { Address } from './address.ts';
import { Health, type Report } from './health.ts';
import { Listener, reply } from './listener.ts';
import type { Source } from './readings.ts';
import { sharedCall } from './shared-call.ts';

/** What telemetry needs of the agent. */
export interface TelemetryOptions {
  readonly version: string;
  /** Whether the agent requests pod metadata. */
  readonly metadata: boolean;
  /** The address of /metrics, /livez and /readyz; undefined: they are not served. */
  readonly address: Address | undefined;
  /** A second address of /livez and /readyz, so that nothing at `address` delays a probe. */
  readonly probeAddress: Address | undefined;
  readonly log: Log;
}

/** Serves metrics and health of the agent: /metrics, /livez and /readyz. */
export class Telemetry {
  readonly health = new Health();
  readonly #options: TelemetryOptions;
  readonly #listeners: readonly Listener[];
  #source: Source | undefined;
  #isMetadataAvailable: boolean | undefined;
  #reducedPods: number | undefined;
  #upkeepFailures = 0;
  /** Returns the exposition and its media type. */
  readonly #expose = sharedCall(async () => {
    // The formatter is loaded at the first scrape.
    const { CONTENT_TYPE, expose } = await import('./exposition.ts');
    const text = await expose({
      ...(await this.#source?.read()),
      version: this.#options.version,
      isJournalWritable: this.health.isJournalWritable,
      isMetadataAvailable: this.#isMetadataAvailable,
      reducedPods: this.#reducedPods,
      upkeepFailures: this.#upkeepFailures,
    });
    return { type: CONTENT_TYPE, text };
  });

  constructor(options: TelemetryOptions) {
    this.#options = options;
    if (options.metadata) {
      this.#isMetadataAvailable = true;
      this.#reducedPods = 0;
    }
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

  /** Notes that the agent records, so that there is something to read. */
  begin(source: Source): void {
    this.#source = source;
    this.health.begin(source);
  }

  /** Notes that pod metadata is unavailable or, with undefined, available again. */
  noteMetadata(problem: Error | undefined): void {
    this.#isMetadataAvailable = problem === undefined;
  }

  /** Notes that a pod is kept only in part, or not at all. */
  noteReducedPod(): void {
    this.#reducedPods = (this.#reducedPods ?? 0) + 1;
  }

  /** Notes that a segment could not be synced, compressed or deleted. */
  noteUpkeepFailed(): void {
    this.#upkeepFailures += 1;
  }

  /** Notes that the agent is stopping, so that its source of readings may disappear. */
  end(): void {
    this.#source = undefined;
    this.health.end();
  }

  close(): void {
    for (const listener of this.#listeners) listener.close();
  }

  async #metrics(response: ServerResponse): Promise<void> {
    const { type, text } = await this.#expose();
    reply(response, 200, type, text);
  }
}

function report(response: ServerResponse, found: Report): void {
  const body = `${JSON.stringify(found)}\n`;
  reply(response, found.status === 'pass' ? 200 : 503, 'application/json', body);
}
