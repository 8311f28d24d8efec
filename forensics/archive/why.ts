import { shortened } from '../../record/visible.ts';

/** What is done with a bucket. */
export type Deed = 'list' | 'get';

const SAID_MAX = 300;
const AGAIN = 'run the command again';

/** Sentences for the codes of S3 and of its client. */
const SENTENCES: Readonly<Record<string, string>> = {
  NoSuchBucket: 'there is no such bucket: check its name, AWS_ENDPOINT_URL_S3 and AWS_REGION',
  NoSuchKey: `it was deleted after it was listed: ${AGAIN}`,
  PreconditionFailed: `it changed after it was listed: ${AGAIN}`,
  InvalidObjectState: 'it is in a storage class that cannot be read at once: restore it first',
  CredentialsProviderError:
    'there are no credentials for S3: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run vcml where a role is given',
  InvalidAccessKeyId: 'S3 does not know the access key: check AWS_ACCESS_KEY_ID or AWS_PROFILE',
  SignatureDoesNotMatch:
    'S3 refuses the signature: check AWS_SECRET_ACCESS_KEY, AWS_REGION and the clock',
  ExpiredToken: 'the credentials have expired: get new ones',
  PermanentRedirect: 'the bucket is in another region: set AWS_REGION',
};

/** Says why something in S3 cannot be read, and what to do. */
export function whyOf(error: unknown, deed: Deed): string {
  const { name, message, code, syscall } = error as NodeJS.ErrnoException;
  const said = message === '' ? '' : ` (${shortened(message, SAID_MAX)})`;
  const sentence = SENTENCES[name];
  if (sentence !== undefined) return `${sentence}${said}`;
  if (message.includes('Region is missing'))
    return 'the region is unknown: set AWS_REGION to the region of the bucket';
  if (code === 'ENOSPC')
    return 'the disk of the temporary folder is full: set TMPDIR to another one';
  const status = statusOf(error);
  if (status === 403)
    return `access is denied: ask for the right s3:${deed === 'list' ? 'ListBucket' : 'GetObject'}${said}`;
  if (status === 404) return `${SENTENCES[deed === 'list' ? 'NoSuchBucket' : 'NoSuchKey']}`;
  if (status === 412) return `${SENTENCES.PreconditionFailed}`;
  const isOfFile = syscall === 'open' || syscall === 'write' || syscall === 'close';
  if (!isOfFile && (code !== undefined || name === 'TimeoutError'))
    return `S3 cannot be reached: check AWS_ENDPOINT_URL_S3 and the network${said}`;
  return name === 'Error' ? message : `${name}${said}`;
}

/** Whether nobody answered, so that nobody may answer the next time either. */
export function isUnanswered(error: unknown): boolean {
  return statusOf(error) === undefined;
}

function statusOf(error: unknown): number | undefined {
  const { $metadata } = error as { readonly $metadata?: { readonly httpStatusCode?: number } };
  return $metadata?.httpStatusCode;
}
