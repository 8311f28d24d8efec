import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { AgentError } from '../../errors.ts';
import { parseHeaderLines } from './headers.ts';

/** Where the credentials are; undefined: there is no such file. */
export interface CredentialSources {
  /**
   * PEM: the authorities that must have issued the collector's certificate; undefined: the system's
   */
  readonly certificate: string | undefined;
  /** PEM: our own certificate with its chain, and its key */
  readonly clientCertificate: string | undefined;
  readonly clientKey: string | undefined;
  /** a bearer token */
  readonly token: string | undefined;
  /** lines such as `name: value` */
  readonly headers: string | undefined;
  /** headers to send as they are; a header from a file takes precedence */
  readonly fixedHeaders: Readonly<Record<string, string>>;
}

/** What the files contain: who we are, and whom we trust. */
export interface Credentials {
  readonly authorities: Buffer | undefined;
  readonly chain: Buffer | undefined;
  readonly key: Buffer | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Reading a few small files this often costs nothing, needs no timer, and notices every way of
 * replacing them.
 */
const READ_EVERY_MS = 1000;

/**
 * Reads the credentials' files, and reads them again when they change; files that became bad are
 * reported and ignored.
 */
export class CredentialFiles {
  readonly #sources: CredentialSources;
  readonly #onProblem: (error: Error) => void;
  #credentials: Credentials;
  #content: string;
  #readAt: number;
  #problem: string | undefined;

  /** Throws EXPORT_CREDENTIALS_INVALID with everything that is wrong with the files. */
  constructor(sources: CredentialSources, onProblem: (error: Error) => void) {
    this.#sources = sources;
    this.#onProblem = onProblem;
    const { credentials, content } = read(sources);
    this.#credentials = credentials;
    this.#content = content;
    this.#readAt = performance.now();
  }

  /**
   * The credentials as they are now: another object whenever the content of the files has changed.
   */
  get current(): Credentials {
    if (performance.now() - this.#readAt >= READ_EVERY_MS) this.#readAgain();
    return this.#credentials;
  }

  #readAgain(): void {
    this.#readAt = performance.now();
    try {
      const { credentials, content } = readTwice(this.#sources);
      if (content !== this.#content) this.#credentials = credentials;
      this.#content = content;
      this.#problem = undefined;
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.#problem) this.#onProblem(error as Error);
      this.#problem = message;
    }
  }
}

/** Files that are being replaced may not match each other the first time. */
function readTwice(sources: CredentialSources): ReturnType<typeof read> {
  try {
    return read(sources);
  } catch {
    return read(sources);
  }
}

function read(sources: CredentialSources): { credentials: Credentials; content: string } {
  const problems: string[] = [];
  const content: Buffer[] = [];
  const contentOf = (file: string | undefined, check: (bytes: Buffer) => void) => {
    if (file === undefined) return undefined;
    try {
      const bytes = readFileSync(file);
      check(bytes);
      content.push(bytes);
      return bytes;
    } catch (error) {
      problems.push(`${file}: ${(error as Error).message}`);
      return undefined;
    }
  };
  const authorities = contentOf(sources.certificate, checkCertificates);
  const chain = contentOf(sources.clientCertificate, checkCertificates);
  const key = contentOf(sources.clientKey, () => {});
  const headers: Record<string, string> = { ...sources.fixedHeaders };
  contentOf(sources.headers, (bytes) => Object.assign(headers, parseHeaderLines(bytes.toString())));
  contentOf(sources.token, (bytes) => Object.assign(headers, { authorization: bearerOf(bytes) }));
  if ((sources.clientCertificate === undefined) !== (sources.clientKey === undefined))
    problems.push('a client certificate needs its key, and a key its certificate: give both');
  if (chain !== undefined && key !== undefined)
    try {
      createSecureContext({ cert: chain, key });
    } catch (error) {
      problems.push(
        `${sources.clientKey} is not the key of ${sources.clientCertificate}: ${(error as Error).message}`,
      );
    }
  if (problems.length > 0)
    throw new AgentError('EXPORT_CREDENTIALS_INVALID', { problems: problems.join('; ') });
  return {
    credentials: { authorities, chain, key, headers },
    content: content.map((bytes) => bytes.toString('base64')).join(' '),
  };
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

function checkCertificates(bytes: Buffer): void {
  const certificates = bytes.toString('latin1').match(CERTIFICATE) ?? [];
  if (certificates.length === 0) throw new Error('there is no PEM certificate in it');
  for (const certificate of certificates) new X509Certificate(certificate);
}

function bearerOf(bytes: Buffer): string {
  const token = bytes.toString('latin1').trim();
  if (!/^[\x21-\x7e]+$/.test(token)) throw new Error('it must hold a token, on one line');
  return `Bearer ${token}`;
}
