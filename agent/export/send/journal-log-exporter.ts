import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-grpc';
import {
  CompressionAlgorithm,
  createOtlpNetworkExportDelegate,
  ExporterMetrics,
  type IExporterTransport,
  type IOtlpExportDelegate,
} from '@opentelemetry/otlp-exporter-base';
import {
  type IExportLogsPartialSuccess,
  type IExportLogsServiceResponse,
  type ISerializer,
  LogsExporterMetricsHelper,
} from '@opentelemetry/otlp-transformer';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';

/** What became of a batch; `error` of a call that failed is the library's ServiceError. */
export interface LogExportResult extends ExportResult {
  /** What the collector says about a batch that it accepted, in whole or in part. */
  readonly partialSuccess?: IExportLogsPartialSuccess;
}

type LogsSerializer = ISerializer<ReadableLogRecord[], IExportLogsServiceResponse>;

/**
 * With a limit of 1, a call that is made from the callback of another would fail: that one still
 * counts.
 */
const CONCURRENCY_LIMIT = 2;
/** The name of the stock exporter in OpenTelemetry's own metrics. */
const COMPONENT_TYPE = 'otlp_grpc_log_exporter';

export interface JournalLogExporterOptions {
  readonly serializer: LogsSerializer;
  readonly transport: IExporterTransport;
  /** the deadline of one call */
  readonly timeoutMs: number;
}

/**
 * OpenTelemetry's exporter with a serializer and a transport of our own. It makes one call per
 * batch and retries nothing, and its callback gets what the stock exporter only logs: the partial
 * success.
 */
export class JournalLogExporter extends OTLPLogExporter {
  readonly #delegate: IOtlpExportDelegate<ReadableLogRecord[]>;
  #partialSuccess: IExportLogsPartialSuccess | undefined;

  constructor({ serializer, transport, timeoutMs }: JournalLogExporterOptions) {
    // The stock delegate, which would connect at its first call, is never called.
    super({ url: 'http://localhost' });
    this.#delegate = createOtlpNetworkExportDelegate(
      {
        timeoutMillis: timeoutMs,
        concurrencyLimit: CONCURRENCY_LIMIT,
        compression: CompressionAlgorithm.NONE,
      },
      this.#observed(serializer),
      new ExporterMetrics({
        componentType: COMPONENT_TYPE,
        metricsHelper: LogsExporterMetricsHelper,
        url: undefined,
        meterProvider: undefined,
        responseAttributesFromError: () => ({}),
      }),
      transport,
    );
  }

  /** Makes one call; an error that the serializer throws is a failure, too. */
  override export(
    records: ReadableLogRecord[],
    resultCallback: (result: LogExportResult) => void,
  ): void {
    try {
      this.#delegate.export(records, (result) => {
        const partialSuccess = this.#partialSuccess;
        this.#partialSuccess = undefined;
        resultCallback({ ...result, ...(partialSuccess && { partialSuccess }) });
      });
    } catch (error) {
      resultCallback({ code: ExportResultCode.FAILED, error: error as Error });
    }
  }

  override forceFlush(): Promise<void> {
    return this.#delegate.forceFlush();
  }

  override shutdown(): Promise<void> {
    return this.#delegate.shutdown();
  }

  /**
   * Keeps the partial success of a response for the callback, which the delegate calls right after.
   */
  #observed(serializer: LogsSerializer): LogsSerializer {
    return {
      serializeRequest: (records) => serializer.serializeRequest(records),
      deserializeResponse: (data) => {
        const response = serializer.deserializeResponse(data);
        this.#partialSuccess = response.partialSuccess;
        return response;
      },
    };
  }
}
