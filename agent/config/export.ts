import { resolve } from 'node:path';
import * as z from 'zod';
import { parseEndpoint } from '../export/connect/endpoint.ts';
import { parseRules } from '../export/read/rules.ts';
import { choice, duration, integer, size } from './kinds.ts';

/**
 * The options of the export. `otel` names the OpenTelemetry specification's variables for an option:
 * OTEL_EXPORTER_OTLP_LOGS_… and, for all signals, OTEL_EXPORTER_OTLP_…; `otelUnit` the unit of theirs.
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
    .describe('The OTLP/gRPC receiver that records are exported to; none: nothing is exported.'),
  exportInsecure: yesOrNo()
    .prefault('false')
    .meta({ otel: 'INSECURE' })
    .describe('An endpoint without a scheme is one without TLS.'),
  exportCertificate: file()
    .prefault('')
    .meta({ default: 'none', otel: 'CERTIFICATE' })
    .describe(
      'The authorities that the receiver’s certificate must come from; none: the public ones.',
    ),
  exportClientCertificate: file()
    .prefault('')
    .meta({ default: 'none', otel: 'CLIENT_CERTIFICATE' })
    .describe('The agent’s own certificate with its chain, for mTLS.'),
  exportClientKey: file()
    .prefault('')
    .meta({ default: 'none', otel: 'CLIENT_KEY' })
    .describe('The key of `exportClientCertificate`.'),
  exportTokenFile: file()
    .prefault('')
    .meta({ default: 'none' })
    .describe('A bearer token to send.'),
  exportHeadersFile: file()
    .prefault('')
    .meta({ default: 'none' })
    .describe('Headers to send, one a line, such as `x-tenant: shop`.'),
  exportCompression: choice(['gzip', 'none'])
    .prefault('gzip')
    .meta({ otel: 'COMPRESSION' })
    .describe('How requests are compressed.'),
  exportTimeout: duration('100ms', '10m')
    .prefault('10s')
    .meta({ otel: 'TIMEOUT', otelUnit: 'ms' })
    .describe('A call that takes longer is made again.'),
  exportBatchRecords: integer(1, 100_000)
    .prefault(8192)
    .describe('How many records a request has at most.'),
  exportBatchBytes: size('4KiB', '2MiB')
    .prefault('1MiB')
    .describe('How many bytes of the journal a request has at most; receivers refuse 4 MiB.'),
  exportBatchAge: duration('10ms', '1m')
    .prefault('200ms')
    .describe('How long a record waits for others to fill a request.'),
  exportCatchUpRate: integer(0, 1_000_000)
    .prefault(10_000)
    .describe('Records a second of those that waited on disk; 0: as many as the receiver takes.'),
  exportRules: rules()
    .prefault('')
    .meta({ default: 'none' })
    .describe('What is exported; see export.md. The journal stays complete.'),
};

/** The path of a file, made absolute; empty: none. */
function file() {
  return checked('the path of a file', (text) => {
    if (text.includes('\0')) throw new Error('a path without NUL');
    return resolve(text);
  });
}

/** Text that is empty, or that `check` does not throw at. */
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

/** Rules of the export: a YAML list, or text that separates them by semicolons. */
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
