import type { ExportResponse } from '@opentelemetry/otlp-exporter-base';
import { current } from './current.ts';

/** In place of the connection to a collector. */
export class GrpcTransport {
  send(request: Uint8Array): Promise<ExportResponse> {
    return current().collector.receive(current(), request);
  }

  reconnect(): void {}

  shutdown(): void {}
}
