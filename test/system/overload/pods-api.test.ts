import { once } from 'node:events';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { Server, ServerCredentials, type ServerWritableStream } from '@grpc/grpc-js';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import {
  checkPaced,
  checkReduced,
  idOf,
  LARGE,
  type Named,
  named,
  POD_BYTES,
  PODS,
  recordIn,
  startLimitedAgent,
} from './pod-bed.ts';

const [ADDED, MODIFIED, SYNCED] = [1, 2, 4];
/** What can make a pod that large: further fields of its container, or of its spec. */
const BULKS: readonly { readonly container?: Buffer; readonly spec?: Buffer }[] = [
  { container: message([[7, message([[2, 'x'.repeat(POD_BYTES)]])]]) },
  { container: message(repeated(POD_BYTES / 5, [7, message([[1, 'A']])])) },
  { spec: message(repeated(POD_BYTES / 5, [2, message([[1, 'a']])])) },
  { container: message([[2, 'x'.repeat(POD_BYTES)]]) },
];
/** Those that are kept only in part. */
const REDUCED = [2, 3];

type Field = readonly [number: number, value: string | Buffer];
type Call = ServerWritableStream<Buffer, Buffer>;

function repeated(times: number, field: Field): readonly Field[] {
  return Array.from({ length: times }, () => field);
}

/** A message of protobuf with these fields. */
function message(fields: readonly Field[]): Buffer {
  const writer = new BinaryWriter();
  for (const [number, value] of fields) {
    writer.tag(number, WireType.LengthDelimited);
    if (typeof value === 'string') writer.string(value);
    else writer.bytes(value);
  }
  return Buffer.from(writer.finish());
}

/** A WatchPodsEvent (k8s.io/kubelet/pkg/apis/pods/v1alpha1/api.proto). */
function event(type: number, one: Named, bulk: number): Buffer {
  const none = Buffer.alloc(0);
  const { container = none, spec = none } = BULKS[bulk % BULKS.length] ?? {};
  const metadata = message([
    [1, one.name],
    [3, 'shop'],
    [5, one.uid],
  ]);
  const cart = Buffer.concat([message([[1, 'cart']]), container]);
  const state = message([
    [1, 'cart'],
    [8, `containerd://${idOf(one)}`],
  ]);
  const pod = message([
    [1, metadata],
    [2, Buffer.concat([message([[2, cart]]), spec])],
    [3, message([[8, state]])],
  ]);
  return Buffer.concat([Buffer.from([8, type]), message([[2, pod]])]);
}

/** Writes as fast as it is read. */
async function write(call: Call, message: Buffer): Promise<void> {
  if (!call.write(message)) await once(call, 'drain');
}

/** A kubelet on a socket; `answer` receives its calls. */
async function serve(t: TestContext, answer: (call: Call) => Promise<void>): Promise<string> {
  const endpoint = `unix://${join(temporaryFolder(t), 'pods-api.sock')}`;
  const server = new Server();
  const asIs = (bytes: Buffer) => bytes;
  const WatchPods = {
    path: '/v1alpha1.Pods/WatchPods',
    requestStream: false,
    responseStream: true,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
  server.addService({ WatchPods }, { WatchPods: (call: Call) => void answer(call) });
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(endpoint, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    ),
  );
  t.after(() => server.forceShutdown());
  return endpoint;
}

test(`${PODS} pods of 1.5 MB on the kubelet’s socket do not end an agent within the memory limit of the chart`, async (t) => {
  const [small, late] = [named('small'), named('late')];
  const endpoint = await serve(t, async (call) => {
    for (const [n, one] of LARGE.entries()) await write(call, event(ADDED, one, n));
    await write(call, event(ADDED, small, -1));
    await write(call, Buffer.from([8, SYNCED]));
    for (const [n, one] of LARGE.entries()) await write(call, event(MODIFIED, one, n));
    await write(call, event(ADDED, late, -1));
  });
  const kubelet = ['--metadata', 'kubelet', '--kubelet-endpoint', endpoint];
  const { agent, check } = await startLimitedAgent(t, kubelet);
  await recordIn(t, agent, small, 'complete');
  await recordIn(t, agent, late, 'complete');
  for (const n of REDUCED) await checkReduced(t, agent, LARGE[n] as Named);
  await recordIn(t, agent, LARGE[0] as Named, 'complete');
  await check();
});

test('pods of 1.5 MB that the kubelet sends as fast as they are read take a small part of a core', async (t) => {
  const synced = Promise.withResolvers<Call>();
  const endpoint = await serve(t, async (call) => {
    await write(call, Buffer.from([8, SYNCED]));
    synced.resolve(call);
  });
  const kubelet = ['--metadata', 'kubelet', '--kubelet-endpoint', endpoint];
  const { agent } = await startLimitedAgent(t, kubelet);
  const call = await synced.promise;
  let n = 0;
  await checkPaced(t, agent, () => write(call, event(MODIFIED, LARGE[n++ % PODS] as Named, n)));
});
