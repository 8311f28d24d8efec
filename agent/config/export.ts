import { resolve } from 'node:path';
import * as z from 'zod';
import { parseEndpoint } from '../export/connect/endpoint.ts';
import { parseRules } from '../export/read/rules.ts';
import { choice, duration, integer, size } from './kinds.ts';

/**
 * The options of the export. `otel` is the name of an option's variables in the OpenTelemetry
 * specification, behind OTEL_EXPORTER_OTLP_LOGS_ and, for all signals, OTEL_EXPORTER_OTLP_.
 * `otelUnit` is the unit of their values.
 */
export const exportOptions = {
  exportEndpoint: checked(
    'http://HOST:PORT, https://HOST:PORT, HOST:PORT or unix:///PATH',
    (text) => {
      parseEndpoint(text, true);
      return text.trim();
    },
  )
    .prefault('')
    .meta({ default: 'none', otel: 'ENDPOINT' })
    .describe('OTLP/gRPC receiver to export records to; none: nothing is exported.'),
  exportInsecure: yesOrNo()
    .prefault('false')
    .meta({ otel: 'INSECURE' })
    .describe('Connect without TLS to an endpoint that has no scheme.'),
  exportCertificate: file()
    .prefault('')
    .meta({ default: 'none', otel: 'CERTIFICATE' })
    .describe(
      'File with the authorities that may sign the receiver’s certificate; none: the public ones.',
    ),
  exportClientCertificate: file()
    .prefault('')
    .meta({ default: 'none', otel: 'CLIENT_CERTIFICATE' })
    .describe('File with the agent’s certificate and its chain, for mTLS.'),
  exportClientKey: file()
    .prefault('')
    .meta({ default: 'none', otel: 'CLIENT_KEY' })
    .describe('File with the private key of `exportClientCertificate`.'),
  exportTokenFile: file()
    .prefault('')
    .meta({ default: 'none' })
    .describe('File with the bearer token to send.'),
  exportHeadersFile: file()
    .prefault('')
    .meta({ default: 'none' })
    .describe('File with headers to send, one per line, such as `x-tenant: shop`.'),
  exportCompression: choice(['gzip', 'none'])
    .prefault('gzip')
    .meta({ otel: 'COMPRESSION' })
    .describe('Compression of requests.'),
  exportTimeout: duration('100ms', '10m')
    .prefault('10s')
    .meta({ otel: 'TIMEOUT', otelUnit: 'ms' })
    .describe('Timeout of one request; a request that times out is sent again.'),
  exportBatchRecords: integer(1, 100_000)
    .prefault(8192)
    .describe('Maximum number of records in a request.'),
  exportBatchBytes: size('4KiB', '2MiB')
    .prefault('1MiB')
    .describe(
      'Maximum number of journal bytes in a request; by default, receivers refuse messages above 4 MiB.',
    ),
  exportBatchAge: duration('10ms', '1m')
    .prefault('200ms')
    .describe('Maximum time that a record waits for others to fill a request.'),
  exportCatchUpRate: integer(0, 1_000_000)
    .prefault(10_000)
    .describe(
      'Maximum number of records per second from a backlog on disk; 0: as many as the receiver accepts.',
    ),
  exportRules: rules()
    .prefault('')
    .meta({ default: 'none' })
    .describe(
      'Rules that select which records are exported; see export.md. The journal stays complete.',
    ),
};

/** Accepts the path of a file and makes it absolute; empty means none. */
function file() {
  return checked('the path of a file', (text) => {
    if (text.includes('\0')) throw new Error('a path without NUL');
    return resolve(text);
  });
}

/** Accepts text that is empty, or for which `check` does not throw. */
function checked(values: string, check: (text: string) => string) {
  return z
    .string({ error: `must be ${values}` })
    .transform((text, context): string => {
      try {
        return text.trim() === '' ? '' : check(text);
      } catch {
        context.addIssue({ code: 'custom', message: `must be ${values}`, input: text });
        return z.NEVER;
      }
    })
    .meta({ values });
}

function yesOrNo() {
  const values = 'true | false';
  return z
    .union([z.boolean(), z.string()], { error: `must be ${values}` })
    .transform((given, context): 'true' | 'false' => {
      const text = `${given}`.trim().toLowerCase();
      if (text === 'true' || text === 'false') return text;
      context.addIssue({ code: 'custom', message: `must be ${values}`, input: given });
      return z.NEVER;
    })
    .meta({ values });
}

/** Accepts rules of the export: a YAML list, or text that separates them by semicolons. */
function rules() {
  const values = 'rules, such as `deny namespace=kube-*; allow entry=exec; deny`';
  return z
    .union([z.string(), z.array(z.string())], { error: `must be ${values}` })
    .transform((given, context): readonly string[] => {
      const texts = (typeof given === 'string' ? given.split(';') : given)
        .map((text) => text.trim())
        .filter((text) => text !== '');
      try {
        parseRules(texts);
      } catch (error) {
        context.addIssue({ code: 'custom', message: (error as Error).message, input: given });
      }
      return texts;
    })
    .meta({ values });
}
