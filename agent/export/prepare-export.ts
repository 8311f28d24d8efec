import type { CredentialFiles } from './connect/credential-files.ts';
import { parseEndpoint } from './connect/endpoint.ts';
import { GrpcTransport } from './connect/grpc-transport.ts';
import { JournalLogsSerializer } from './encode/journal-logs-serializer.ts';
import { JournalExport, type JournalExportOptions } from './journal-export.ts';
import { createFilter } from './read/filter.ts';
import type { ExportedJournal } from './read/position.ts';
import { parseRules } from './read/rules.ts';
import { JournalLogExporter } from './send/journal-log-exporter.ts';
import { failureOf, type Outcome } from './send/outcome.ts';

/** An ExportLogsServiceRequest without records has no bytes. */
const NO_RECORDS = Buffer.alloc(0);
const ACCEPTED: Outcome = { kind: 'accepted', rejected: 0, message: '' };

export interface ExportOptions
  extends Omit<JournalExportOptions, 'target' | 'filter' | 'exporter' | 'transport'> {
  readonly endpoint: string;
  /** of an endpoint without a scheme */
  readonly insecure: boolean;
  readonly credentials: CredentialFiles;
  readonly compression: 'gzip' | 'none';
  /** of one call */
  readonly timeoutMs: number;
  readonly rules: readonly string[];
}

/** An export whose options are valid. It runs, and connects, once it is started. */
export interface PreparedExport {
  /** Starts at the saved cursor, or else at the oldest line of the journal. */
  start(journal: ExportedJournal): JournalExport;
  /** Sends a request without records, once; for a target that is not started. */
  probe(): Promise<Outcome>;
}

/** Checks endpoint and rules; throws an error of the registry. */
export function prepareExport(options: ExportOptions): PreparedExport {
  const { version, credentials, compression, timeoutMs } = options;
  const endpoint = parseEndpoint(options.endpoint, options.insecure);
  const filter = createFilter(parseRules(options.rules));
  const transport = new GrpcTransport({
    endpoint,
    compression,
    userAgent: `vcml-agent/${version}`,
    credentials: () => credentials.current,
  });
  const serializer = new JournalLogsSerializer();
  const exporter = new JournalLogExporter({ serializer, transport, timeoutMs });
  const parts = { target: endpoint.target, filter, exporter, transport };
  return {
    start: (journal) => new JournalExport({ ...options, ...parts }, journal),
    async probe() {
      const response = await transport.send(NO_RECORDS, timeoutMs);
      transport.shutdown();
      return response.status === 'failure' ? failureOf(response.error) : ACCEPTED;
    },
  };
}
