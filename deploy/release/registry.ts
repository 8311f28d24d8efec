import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from './archive.ts';
import { type Descriptor, describe, type Manifest, MEDIA } from './oci.ts';

/** A manifest as a registry has it, and its bytes. */
export interface Pulled {
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
}

/**
 * A repository of a registry, over HTTPS, or over HTTP on this machine:
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md. It logs in with what
 * `docker login` has kept in config.json.
 */
export class Repository {
  /** HOST/NAME */
  readonly name: string;
  readonly #host: string;
  readonly #url: string;
  #authorization: string | undefined;

  constructor(name: string) {
    const [host = '', ...path] = name.split('/');
    if (path.length === 0) throw new Error(`${name} is no repository: HOST/NAME`);
    this.name = name;
    this.#host = host;
    const scheme = /^(localhost|127\.0\.0\.1)(:\d+)?$/.test(host) ? 'http' : 'https';
    this.#url = `${scheme}://${host}/v2/${path.join('/')}`;
  }

  /** Uploads content that the registry does not have yet. */
  async pushBlob({ digest }: Descriptor, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const { status } = await this.#ask('HEAD', `/blobs/${digest}`, [200, 404]);
    if (status === 200) return;
    const begun = await this.#ask('POST', '/blobs/uploads/', [202]);
    const location = new URL(begun.headers.get('location') ?? '', begun.url);
    location.searchParams.set('digest', digest);
    const type = 'application/octet-stream';
    await this.#ask('PUT', location.href, [201], { body: bytes, type });
  }

  /** Uploads a manifest, under its digest or a tag. */
  async pushManifest(bytes: Uint8Array<ArrayBuffer>, type: string, tag?: string): Promise<void> {
    const reference = tag ?? describe(bytes, type).digest;
    await this.#ask('PUT', `/manifests/${reference}`, [201], { body: bytes, type });
  }

  /** Returns the manifest that a tag or digest names; undefined: there is none. */
  async manifest(reference: string): Promise<Pulled | undefined> {
    const accept = `${MEDIA.index}, ${MEDIA.manifest}`;
    const answer = await this.#ask('GET', `/manifests/${reference}`, [200, 404], { accept });
    if (answer.status === 404) return undefined;
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const manifest: Manifest = JSON.parse(Buffer.from(bytes).toString('utf8'));
    const descriptor = describe(bytes, manifest.mediaType);
    if (reference.startsWith('sha256:') && descriptor.digest !== reference)
      throw new Error(`${this.name} has ${descriptor.digest} as ${reference}`);
    return { descriptor, manifest };
  }

  /** Returns content, which must have the digest. */
  async blob({ digest }: Descriptor): Promise<Buffer> {
    const answer = await this.#ask('GET', `/blobs/${digest}`, [200]);
    const bytes = Buffer.from(await answer.arrayBuffer());
    const found = `sha256:${sha256(bytes)}`;
    if (found !== digest) throw new Error(`${this.name} has ${found} as ${digest}`);
    return bytes;
  }

  /** Lists the manifests that have this one as their subject. */
  async referrers(digest: string): Promise<readonly Descriptor[]> {
    const answer = await this.#ask('GET', `/referrers/${digest}`, [200, 404]);
    if (answer.status === 200) return ((await answer.json()) as Manifest).manifests ?? [];
    // Of a registry without that API: the specification's tag.
    return (await this.manifest(digest.replace(':', '-')))?.manifest.manifests ?? [];
  }

  async #ask(
    method: string,
    path: string,
    expected: readonly number[],
    options: { body?: Uint8Array<ArrayBuffer>; type?: string; accept?: string } = {},
  ): Promise<Response> {
    const url = path.startsWith('/') ? this.#url + path : path;
    const send = () => {
      const headers = new Headers();
      // An upload may continue elsewhere, which must not get the credentials.
      if (this.#authorization !== undefined && new URL(url).host === this.#host)
        headers.set('authorization', this.#authorization);
      if (options.type !== undefined) headers.set('content-type', options.type);
      if (options.accept !== undefined) headers.set('accept', options.accept);
      return fetch(url, { method, headers, body: options.body ?? null });
    };
    let answer = await send();
    const challenge = answer.headers.get('www-authenticate');
    if (answer.status === 401 && challenge !== null) {
      this.#authorization = await authorize(challenge, this.#host);
      answer = await send();
    }
    if (expected.includes(answer.status)) return answer;
    const said = (await answer.text()).slice(0, 500);
    throw new Error(`${method} ${url}: ${answer.status} ${said}`);
  }
}

/** Answers the challenge of a registry: https://distribution.github.io/distribution/spec/auth/token/ */
async function authorize(challenge: string, host: string): Promise<string | undefined> {
  const basic = credentialsOf(host);
  if (!/^bearer /i.test(challenge)) return basic;
  const { realm, ...parameters } = Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]),
  );
  if (realm === undefined) throw new Error(`${host} names no realm: ${challenge}`);
  const url = new URL(realm);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  const answer = await fetch(url, basic === undefined ? {} : { headers: { authorization: basic } });
  if (!answer.ok) throw new Error(`${host} refuses the login: ${answer.status}`);
  const { token, access_token: other } = (await answer.json()) as Record<string, string>;
  return `Bearer ${token ?? other}`;
}

function credentialsOf(host: string): string | undefined {
  const folder = process.env.DOCKER_CONFIG ?? join(homedir(), '.docker');
  const file = join(folder, 'config.json');
  if (!existsSync(file)) return undefined;
  const auth = JSON.parse(readFileSync(file, 'utf8')).auths?.[host]?.auth;
  return auth === undefined ? undefined : `Basic ${auth}`;
}
