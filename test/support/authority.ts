import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A certificate authority and its certificates, as files in a folder. */
export interface Authority {
  readonly certificate: string;
  /**
   * Writes NAME.crt and NAME.key, for `alternatives` (default: this machine); returns their paths. With no
   * days, the certificate expires at once.
   */
  issue(name: string, alternatives?: string, days?: number): { certificate: string; key: string };
}

/** Makes an authority of this name with openssl. */
export function createAuthority(dir: string, name: string): Authority {
  const openssl = (...args: readonly string[]) =>
    execFileSync('openssl', args, { cwd: dir, stdio: ['ignore', 'pipe', 'ignore'] });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const authority = `${name}-ca`;
  openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    `${authority}.key`,
    '-out',
    `${authority}.crt`,
    '-days',
    '2',
    '-subj',
    `/CN=${name}`,
  );
  return {
    certificate: join(dir, `${authority}.crt`),
    issue(subject, alternatives = 'DNS:localhost,IP:127.0.0.1', days = 2) {
      const file = `${name}-${subject}`;
      writeFileSync(join(dir, `${file}.ext`), `subjectAltName=${alternatives}\n`);
      openssl(
        'req',
        ...key,
        '-keyout',
        `${file}.key`,
        '-out',
        `${file}.csr`,
        '-subj',
        `/CN=${subject}`,
      );
      openssl(
        'x509',
        '-req',
        '-in',
        `${file}.csr`,
        '-CA',
        `${authority}.crt`,
        '-CAkey',
        `${authority}.key`,
        '-CAcreateserial',
        '-days',
        `${days}`,
        '-extfile',
        `${file}.ext`,
        '-out',
        `${file}.crt`,
      );
      return { certificate: join(dir, `${file}.crt`), key: join(dir, `${file}.key`) };
    },
  };
}
