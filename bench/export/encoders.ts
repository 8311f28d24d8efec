import { ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { EncodedRecords } from '../../agent/export/encode/encoded-records.ts';
import { JournalLogsSerializer } from '../../agent/export/encode/journal-logs-serializer.ts';
import { LogRecordEncoder } from '../../agent/export/encode/log-record-encoder.ts';
import { createScope } from '../../agent/export/encode/scope.ts';
import { stockRecordOf, stockResource } from '../../test/export/reference.ts';
import { execLines } from '../../test/support/journal/lines.ts';
import { type Spread, spreadOf } from '../statistics.ts';
import { inTurns } from '../turns.ts';

const ROUNDS = 31;
/** The first rounds, in which V8 compiles both. */
const WARM_UP = 10;
const RECORDS = 512;
const REQUESTS = 20;
const RESOURCE = {
  'host.name': 'node-1',
  'os.type': 'linux',
  'k8s.namespace.name': 'shop',
  'k8s.pod.name': 'cart-6d4b75cb6d-x7z2p',
  'k8s.pod.uid': '8f4a1c9e-2d3b-4c5d-9e8f-0a1b2c3d4e5f',
  'k8s.container.name': 'main',
  'container.id': 'a'.repeat(64),
  'service.name': 'cart',
};

/** Microseconds of CPU for a record, from its line in the journal to a request. */
export interface EncoderCosts {
  readonly ours: Spread;
  readonly stock: Spread;
  /** what of it the stock serializer takes for itself, when the records have been read */
  readonly stockAlone: Spread;
  /** ours to stock, within each round */
  readonly ratio: Spread;
}

/** Makes the same request with the agent's encoder and with the stock serializer, in turns. */
export async function measureEncoders(): Promise<EncoderCosts> {
  const lines = execLines(0, RECORDS, { resource: RESOURCE, args: ['cart', '--id=1234', '-v'] });
  const ours = oursOf(lines);
  const { stock, stockAlone } = stockOf(lines);
  const alone: number[] = [];
  const rounds = await inTurns(ROUNDS, {
    inside: async () => costOf(ours),
    outside: async () => {
      alone.push(costOf(stockAlone));
      return costOf(stock);
    },
  });
  const warm = rounds.slice(WARM_UP);
  return {
    ours: spreadOf(warm.map(({ inside }) => inside)),
    stock: spreadOf(warm.map(({ outside }) => outside)),
    stockAlone: spreadOf(alone.slice(WARM_UP)),
    ratio: spreadOf(warm.map(({ inside, outside }) => inside / outside)),
  };
}

function oursOf(lines: readonly string[]): () => unknown {
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  const encoded = new EncodedRecords(createScope('1.0.0'), new LogRecordEncoder());
  const serializer = new JournalLogsSerializer();
  return () => {
    encoded.clear();
    const records: ReadableLogRecord[] = [];
    for (let from = 0; from < bytes.length; ) {
      const to = bytes.indexOf('\n', from);
      records.push(encoded.add(bytes, from, to));
      from = to + 1;
    }
    return serializer.serializeRequest(records);
  };
}

/** In its favour all records share one resource object, so that it is looked up and written once. */
function stockOf(lines: readonly string[]): Record<'stock' | 'stockAlone', () => unknown> {
  const resource = stockResource(RESOURCE);
  const records = lines.map((line) => stockRecordOf(line, resource));
  return {
    stock: () =>
      ProtobufLogsSerializer.serializeRequest(lines.map((line) => stockRecordOf(line, resource))),
    stockAlone: () => ProtobufLogsSerializer.serializeRequest(records),
  };
}

function costOf(request: () => unknown): number {
  const before = process.cpuUsage();
  for (let count = 0; count < REQUESTS; count++) request();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (REQUESTS * RECORDS);
}
