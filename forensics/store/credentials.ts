import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import type { ClickHouseClientConfigOptions } from '@clickhouse/client';
import { ForensicsError } from '../errors.ts';
import type { Address } from './address.ts';

/** Who we are, and whom we trust, from the command line. */
export interface CredentialOptions {
  readonly storePasswordFile?: string;
  readonly storeCa?: string;
  readonly storeCert?: string;
  readonly storeKey?: string;
}

/** How many connections a client has at most, as without an agent of its own. */
const SOCKETS_MAX = 10;

/** Reads the credentials for a store into what its client needs. Throws an error of usage for a bad file. */
export function credentialsFrom(
  options: CredentialOptions,
  { url }: Address,
): Pick<ClickHouseClientConfigOptions, 'password' | 'tls' | 'http_agent'> {
  const { storeCa, storeCert, storeKey } = options;
  const password = passwordFrom(options);
  if ((storeCert === undefined) !== (storeKey === undefined))
    throw new ForensicsError('usage', '--store-cert and --store-key belong together');
  if (storeCa === undefined && storeCert === undefined) return { password };
  if (storeCa === undefined)
    throw new ForensicsError('usage', '--store-cert needs --store-ca, the authority of the server');
  if (!url.startsWith('https:'))
    throw new ForensicsError(
      'usage',
      `--store-ca is for TLS: add ?secure=true to the address of ${url}`,
    );
  const ca = fileFor('--store-ca', storeCa);
  certificateIn('--store-ca', ca);
  if (storeCert === undefined || storeKey === undefined) return { password, tls: { ca_cert: ca } };
  const [cert, key] = [fileFor('--store-cert', storeCert), fileFor('--store-key', storeKey)];
  if (!certificateIn('--store-cert', cert).checkPrivateKey(keyIn(key)))
    throw new ForensicsError(
      'usage',
      '--store-key is not the key of the certificate in --store-cert',
    );
  // The client would have the certificate stand for the password, and the server refuses to have both.
  if (password !== '')
    return {
      password,
      http_agent: new Agent({ keepAlive: true, maxSockets: SOCKETS_MAX, ca, cert, key }),
    };
  return { password, tls: { ca_cert: ca, cert, key } };
}

function passwordFrom({ storePasswordFile }: CredentialOptions): string {
  if (storePasswordFile === undefined) return process.env.VCML_STORE_PASSWORD ?? '';
  return fileFor('--store-password-file', storePasswordFile)
    .toString()
    .replace(/\r?\n$/, '');
}

function certificateIn(option: string, bytes: Buffer): X509Certificate {
  try {
    if (!bytes.includes('-----BEGIN ')) throw new Error('it is no PEM');
    return new X509Certificate(bytes);
  } catch (cause) {
    throw new ForensicsError('usage', `${option}: has no certificate in PEM`, { cause });
  }
}

function keyIn(bytes: Buffer): KeyObject {
  try {
    return createPrivateKey(bytes);
  } catch (cause) {
    throw new ForensicsError(
      'usage',
      '--store-key: has no key in PEM, or one that a passphrase protects',
      { cause },
    );
  }
}

function fileFor(option: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new ForensicsError('usage', `${option}: ${(error as Error).message}`, { cause: error });
  }
}
