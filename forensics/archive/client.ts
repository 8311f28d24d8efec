import type { Readable } from 'node:stream';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';

/** An object as a bucket lists it. */
export interface Listed {
  readonly bucket: string;
  readonly key: string;
  readonly bytes: number;
  /** changes with the content */
  readonly tag: string | undefined;
}

/** S3, with the credentials, the region and the endpoint of the environment. */
export interface S3 {
  /** Yields the objects whose keys have this beginning, in pages. */
  list(bucket: string, prefix: string): AsyncGenerator<Listed[]>;
  /** Returns the object with this key; undefined: there is none. */
  find(bucket: string, key: string): Promise<Listed | undefined>;
  /** Returns the content of an object, which rejects if it is not the one that was listed. */
  get(object: Listed): Promise<AsyncIterable<Uint8Array>>;
  close(): void;
}

const CONNECT_MS = 10_000;
/** The time without a byte after which a request is tried again. */
const IDLE_MS = 30_000;
/** A list that has so many pages without an object, one after the other, has no end. */
const EMPTY_PAGES_MAX = 100;

/** Connects as the AWS command line does: shared configuration, environment, roles. */
export async function connectS3(): Promise<S3> {
  const { config } = new S3Client({});
  // Other servers rarely have a name for each bucket.
  const forcePathStyle = (await config.serviceConfiguredEndpoint?.()) !== undefined;
  const client = new S3Client({
    forcePathStyle,
    followRegionRedirects: true,
    requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: IDLE_MS },
  });
  return {
    list: (bucket, prefix) => pagesOf(client, bucket, prefix),
    async find(bucket, key) {
      const { objects } = await page(client, bucket, key, { MaxKeys: 1 });
      return objects.find((one) => one.key === key);
    },
    async get({ bucket, key, tag }) {
      const named = { Bucket: bucket, Key: key, ...(tag !== undefined && { IfMatch: tag }) };
      const { Body } = await client.send(new GetObjectCommand(named));
      const content = Body as Readable;
      // It may break before somebody reads it; who reads it gets the error, too.
      return content.on('error', () => {});
    },
    close: () => client.destroy(),
  };
}

async function* pagesOf(
  client: S3Client,
  bucket: string,
  prefix: string,
): AsyncGenerator<Listed[]> {
  const tokens = new Set<string>();
  let next: string | undefined;
  let empty = 0;
  do {
    const more = next === undefined ? {} : { ContinuationToken: next };
    const { objects, token } = await page(client, bucket, prefix, more);
    if (token !== undefined && tokens.has(token)) throw new Error('S3 repeats a page of its list');
    empty = objects.length === 0 ? empty + 1 : 0;
    if (empty > EMPTY_PAGES_MAX) throw new Error('S3 lists pages without an object, and no end');
    yield objects;
    next = token;
    if (next !== undefined) tokens.add(next);
  } while (next !== undefined);
}

async function page(client: S3Client, bucket: string, prefix: string, more: object) {
  // XML cannot have every character of a key.
  const asked = { Bucket: bucket, Prefix: prefix, EncodingType: 'url' as const, ...more };
  const answer = await client.send(new ListObjectsV2Command(asked));
  const isEncoded = answer.EncodingType === 'url';
  const objects = (answer.Contents ?? []).map(({ Key = '', Size = 0, ETag }) => ({
    bucket,
    key: isEncoded ? decoded(Key) : Key,
    bytes: Size,
    tag: ETag,
  }));
  const { IsTruncated: isTruncated = false, NextContinuationToken: token } = answer;
  if (isTruncated && token === undefined)
    throw new Error('S3 says that its list has more, and not how to get it');
  return { objects, token: isTruncated ? token : undefined };
}

function decoded(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    // No object has this key then, which becomes a problem.
    return key;
  }
}
