import { ForensicsError } from '../errors.ts';

/** What an input `s3://BUCKET/KEY` names. */
export interface ArchiveAddress {
  /** as the user wrote it */
  readonly input: string;
  readonly bucket: string;
  /** a key, the beginning of keys up to a slash, or a glob; empty: everything in the bucket */
  readonly pattern: string;
}

const FORM = 's3://BUCKET, s3://BUCKET/KEY or s3://BUCKET/GLOB';

/** Returns whether an input names objects in S3. */
export function isArchive(input: string): boolean {
  return /^s3:\/\//i.test(input);
}

/** Reads the address of objects. The key stands there as it is, without escapes. */
export function parseArchive(input: string): ArchiveAddress {
  const [, bucket = '', pattern = ''] = /^s3:\/\/([^/]*)\/?(.*)$/is.exec(input) ?? [];
  if (bucket.includes('@') || /^[^/]*:.*@/.test(`${bucket}/${pattern}`))
    throw new ForensicsError(
      'usage',
      `objects are named as ${FORM}: credentials come from AWS_PROFILE, AWS_ACCESS_KEY_ID and the like, and not from the address, which is visible to everyone on this machine`,
    );
  if (!/^[\w.-]{3,255}$/.test(bucket))
    throw new ForensicsError('usage', `objects are named as ${FORM}, not as ${input}`);
  return { input, bucket, pattern };
}

/** Returns the name of an object. */
export function nameOf(bucket: string, key: string): string {
  return `s3://${bucket}/${key}`;
}
