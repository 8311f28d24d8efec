import { AgentError } from '../../errors.ts';
import { parseHeaderList } from './headers.ts';

const PROTOCOLS = ['OTEL_EXPORTER_OTLP_LOGS_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL'];
const HEADERS = ['OTEL_EXPORTER_OTLP_LOGS_HEADERS', 'OTEL_EXPORTER_OTLP_HEADERS'];

/**
 * Checks which protocol OpenTelemetry's variables ask for; throws EXPORT_PROTOCOL_UNSUPPORTED
 * unless it is gRPC.
 */
export function checkProtocol(env: NodeJS.ProcessEnv): void {
  const variable = PROTOCOLS.find((name) => env[name]?.trim());
  if (variable === undefined) return;
  const value = env[variable]?.trim();
  if (value !== 'grpc')
    throw new AgentError('EXPORT_PROTOCOL_UNSUPPORTED', { variable, value: JSON.stringify(value) });
}

/**
 * Reads the headers in OpenTelemetry's variables; those of logs take precedence. Headers are
 * secrets, so they are not an option, which a printed configuration would show. OpenTelemetry's
 * exporter reads the variable that does not apply, too. Throws EXPORT_HEADERS_INVALID for each that
 * is not valid.
 */
export function readHeaders(env: NodeJS.ProcessEnv): Record<string, string> {
  const [headers = {}] = HEADERS.flatMap((variable) => {
    const value = env[variable]?.trim();
    if (value === undefined || value === '') return [];
    try {
      return [parseHeaderList(value)];
    } catch (error) {
      const reason = (error as Error).message;
      throw new AgentError('EXPORT_HEADERS_INVALID', { variable, reason });
    }
  });
  return headers;
}
