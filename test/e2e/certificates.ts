import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { API_SERVER, DIR, NODE_ADDRESS, NODE_NAME, SERVICE_ADDRESS } from './place.ts';

const PKI = `${DIR}/pki`;
const DAYS = ['-days', '30'];
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** Creates the cluster's certificates and the kubeconfigs of its administrator and its kubelet. */
export function createCertificates(): void {
  openssl('req', '-x509', ...NEW_KEY, ...DAYS, '-subj', '/CN=vcml-e2e', ...pair('ca'));
  sign('apiserver', '/CN=kube-apiserver', 'serverAuth', [
    ...['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'localhost'].map(dns),
    ...['127.0.0.1', NODE_ADDRESS, SERVICE_ADDRESS].map((address) => `IP:${address}`),
  ]);
  sign('kubelet', `/O=system:nodes/CN=system:node:${NODE_NAME}`, 'clientAuth,serverAuth', [
    dns(NODE_NAME),
    `IP:${NODE_ADDRESS}`,
  ]);
  sign('admin', '/O=system:masters/CN=admin', 'clientAuth');
  openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', `${PKI}/accounts.key`);
  openssl('pkey', '-in', `${PKI}/accounts.key`, '-pubout', '-out', `${PKI}/accounts.pub`);
  for (const name of ['admin', 'kubelet'])
    writeKubeConfig(name, {
      'client-certificate-data': encoded(`${name}.crt`),
      'client-key-data': encoded(`${name}.key`),
    });
}

/** Writes `<name>.conf` with these credentials and returns its path. */
export function writeKubeConfig(name: string, user: Readonly<Record<string, string>>): string {
  const cluster = { server: API_SERVER, 'certificate-authority-data': encoded('ca.crt') };
  const file = `${DIR}/${name}.conf`;
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'e2e', cluster }],
    users: [{ name, user }],
    contexts: [{ name: 'e2e', context: { cluster: 'e2e', user: name } }],
    'current-context': 'e2e',
  };
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
  return file;
}

function sign(name: string, subject: string, usage: string, names: readonly string[] = []): void {
  const request = `${PKI}/${name}.csr`;
  const extensions = `${PKI}/${name}.ext`;
  const key = ['-keyout', `${PKI}/${name}.key`, '-out', request];
  openssl('req', ...NEW_KEY, '-subj', subject, ...key);
  const lines = [`extendedKeyUsage=${usage}`];
  if (names.length > 0) lines.push(`subjectAltName=${names.join(',')}`);
  writeFileSync(extensions, `${lines.join('\n')}\n`);
  const issuer = ['-CA', `${PKI}/ca.crt`, '-CAkey', `${PKI}/ca.key`, '-CAcreateserial'];
  const result = ['-extfile', extensions, '-out', `${PKI}/${name}.crt`];
  openssl('x509', '-req', '-in', request, ...issuer, ...DAYS, ...result);
}

function pair(name: string): string[] {
  return ['-keyout', `${PKI}/${name}.key`, '-out', `${PKI}/${name}.crt`];
}

function dns(name: string): string {
  return `DNS:${name}`;
}

function encoded(file: string): string {
  return readFileSync(`${PKI}/${file}`, 'base64');
}

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
