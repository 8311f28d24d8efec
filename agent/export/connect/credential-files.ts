import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { AgentError } from '../../errors.ts';
import { parseHeaderLines } from './headers.ts';

/** The files that say who we are and whom we trust; undefined: none. */
export interface IdentityFiles {
  /** PEM: the authorities that the collector's certificate must come from; none: the system's */
  readonly certificate: string | undefined;
  /** PEM: our own certificate with its chain, and its key */
  readonly clientCertificate: string | undefined;
  readonly clientKey: string | undefined;
  /** a bearer token */
  readonly token: string | undefined;
  /** lines such as `name: value` */
  readonly headers: string | undefined;
  /** sent as they are; those from files go before them */
  readonly fixedHeaders: Readonly<Record<string, string>>;
}

/** What the files say. */
export interface Identity {
  readonly authorities: Buffer | undefined;
  readonly chain: Buffer | undefined;
  readonly key: Buffer | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** Looking at a few small files so often costs nothing, needs no timer, and sees every way of replacing them. */
const LOOK_EVERY_MS = 1000;

/** Follows the files of an identity; those that went bad change nothing but are told of. */
export class IdentitySource {
  readonly #files: IdentityFiles;
  readonly #onProblem: (error: Error) => void;
  #identity: Identity;
  #content: string;
  #lookedAt: number;
  #problem: string | undefined;

  /** Throws CONFIGURATION_INVALID with all that is wrong with the files. */
  constructor(files: IdentityFiles, onProblem: (error: Error) => void) {
    this.#files = files;
    this.#onProblem = onProblem;
    const { identity, content } = read(files);
    this.#identity = identity;
    this.#content = content;
    this.#lookedAt = performance.now();
  }

  /** The identity as it is now: another object whenever the files' content has changed. */
  get current(): Identity {
    if (performance.now() - this.#lookedAt >= LOOK_EVERY_MS) this.#look();
    return this.#identity;
  }

  #look(): void {
    this.#lookedAt = performance.now();
    try {
      const { identity, content } = readAgain(this.#files);
      if (content !== this.#content) this.#identity = identity;
      this.#content = content;
      this.#problem = undefined;
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.#problem) this.#onProblem(error as Error);
      this.#problem = message;
    }
  }
}

/** Files that are just being replaced may not fit together at the first look. */
function readAgain(files: IdentityFiles): ReturnType<typeof read> {
  try {
    return read(files);
  } catch {
    return read(files);
  }
}

function read(files: IdentityFiles): { identity: Identity; content: string } {
  const problems: string[] = [];
  const content: Buffer[] = [];
  const fileOf = (file: string | undefined, check: (bytes: Buffer) => void) => {
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
  const authorities = fileOf(files.certificate, checkCertificates);
  const chain = fileOf(files.clientCertificate, checkCertificates);
  const key = fileOf(files.clientKey, () => {});
  const headers: Record<string, string> = { ...files.fixedHeaders };
  fileOf(files.headers, (bytes) => Object.assign(headers, parseHeaderLines(bytes.toString())));
  fileOf(files.token, (bytes) => Object.assign(headers, { authorization: bearerOf(bytes) }));
  if ((files.clientCertificate === undefined) !== (files.clientKey === undefined))
    problems.push('a client certificate needs its key, and a key its certificate: give both');
  if (chain !== undefined && key !== undefined)
    try {
      createSecureContext({ cert: chain, key });
    } catch (error) {
      problems.push(
        `${files.clientKey} is not the key of ${files.clientCertificate}: ${(error as Error).message}`,
      );
    }
  if (problems.length > 0)
    throw new AgentError('CONFIGURATION_INVALID', `export: ${problems.join('; ')}`);
  return {
    identity: { authorities, chain, key, headers },
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
