/** Answers DNS queries of pods for the names of Services with A records from the API server. */

import { createSocket } from 'node:dgram';
import { run } from './network.ts';
import { CLUSTER_DOMAIN, NODE_ADDRESS } from './place.ts';

/** The types, the classes and the bits of the second and third field of an answer (RFC 1035). */
const [A, IN] = [1, 1];
const ANSWER = 0x8500;
const NO_SUCH_NAME = 3;
const HEADER_BYTES = 12;
const TTL_SECONDS = 1;

const socket = createSocket('udp4');
socket.on('message', async (query, { address, port }) => {
  try {
    socket.send(await answerTo(query), port, address);
  } catch (error) {
    console.error(error);
  }
});
socket.bind(53, NODE_ADDRESS);

async function answerTo(query: Buffer): Promise<Buffer> {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length).toLowerCase());
    at += 1 + length;
  }
  const question = query.subarray(HEADER_BYTES, at + 5);
  const address = await addressOf(labels);
  const isFound = address !== undefined && query.readUInt16BE(at + 1) === A;
  const header = Buffer.alloc(HEADER_BYTES);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(address === undefined ? ANSWER | NO_SUCH_NAME : ANSWER, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(isFound ? 1 : 0, 6);
  return Buffer.concat([header, question, isFound ? recordOf(address) : Buffer.alloc(0)]);
}

/** Returns the address of a Service by its full name; undefined if there is none. */
async function addressOf([name, namespace, ...rest]: readonly string[]): Promise<
  string | undefined
> {
  if (rest.join('.') !== `svc.${CLUSTER_DOMAIN}`) return undefined;
  const path = '--output=jsonpath={.items[*].spec.clusterIP}';
  const field = `--field-selector=metadata.name=${name}`;
  const found = await run(['kubectl', 'get', 'services', `--namespace=${namespace}`, field, path]);
  return found === '' ? undefined : found;
}

/** Makes an A record for the name in the question. */
function recordOf(address: string): Buffer {
  const record = Buffer.alloc(16);
  record.writeUInt16BE(0xc000 | HEADER_BYTES, 0);
  record.writeUInt16BE(A, 2);
  record.writeUInt16BE(IN, 4);
  record.writeUInt32BE(TTL_SECONDS, 6);
  record.writeUInt16BE(4, 10);
  Buffer.from(address.split('.').map(Number)).copy(record, 12);
  return record;
}
