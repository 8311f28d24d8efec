import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { freePort } from '../free-ports.ts';
import { ROOT } from '../paths.ts';
import { type CleanUp, temporaryFolder } from '../temporary-folder.ts';
import { until } from '../until.ts';

/** The program that make builds from a Go module. */
const SERVER = join(ROOT, 'build/s3/versitygw');
const REGION = 'eu-central-1';
const AT_ONCE = 16;

/** The reason to skip a test, for node:test; false if there is a server. */
export const NO_S3 = existsSync(SERVER) ? false : 'there is no build/s3/versitygw: make builds it';

/** The bucket that every server has. */
export const BUCKET = 'archive';

/** A name and a secret. */
export interface Keys {
  readonly access: string;
  readonly secret: string;
}

/** A real S3 server, versitygw over a folder. */
export interface S3 {
  readonly url: string;
  /** what a client of the owner has in its environment */
  readonly env: Readonly<Record<string, string>>;
  put(key: string, content: string | Uint8Array): Promise<void>;
  /** Puts every file of a folder below a key, as `aws s3 sync` does. */
  putFolder(from: string, key: string): Promise<void>;
  remove(key: string): Promise<void>;
  /** Makes a user who may do what the policy says, and returns the environment of that one. */
  addUser(keys: Keys, statements: readonly object[]): Promise<Readonly<Record<string, string>>>;
}

/** Starts a server with an empty bucket. */
export async function startS3(t: CleanUp): Promise<S3> {
  // Those of who runs the tests are not for this server.
  for (const name of Object.keys(process.env))
    if (name.startsWith('AWS_')) delete process.env[name];
  const owner: Keys = { access: 'owner', secret: 'secret-of-the-owner' };
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const folder = temporaryFolder(t);
  const root = join(folder, 'root');
  const iam = join(folder, 'iam');
  mkdirSync(root);
  mkdirSync(iam);
  const options = ['--port', `127.0.0.1:${port}`, '--region', REGION, '--iam-dir', iam, '--quiet'];
  const child = spawn(SERVER, [...options, '--health', '/health', 'posix', root], {
    env: { ...process.env, ROOT_ACCESS_KEY: owner.access, ROOT_SECRET_KEY: owner.secret },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  await until('the S3 server answers', async () => {
    if (child.exitCode !== null) throw new Error('versitygw does not start');
    return fetch(`${url}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
  });
  const client = new S3Client({
    endpoint: url,
    region: REGION,
    forcePathStyle: true,
    credentials: { accessKeyId: owner.access, secretAccessKey: owner.secret },
  });
  t.after(() => client.destroy());
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const put = async (key: string, content: string | Uint8Array) => {
    await client.send(
      new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: Buffer.from(content) }),
    );
  };
  return {
    url,
    env: environmentOf(url, owner),
    put,
    async putFolder(from, key) {
      const names = readdirSync(from, { recursive: true, encoding: 'utf8' });
      const files = names.filter((name) => statSync(join(from, name)).isFile());
      const work = async () => {
        for (let name = files.pop(); name !== undefined; name = files.pop())
          await put(`${key}/${name}`, readFileSync(join(from, name)));
      };
      await Promise.all(Array.from({ length: AT_ONCE }, work));
    },
    async remove(key) {
      await client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: key }));
    },
    async addUser(keys, statements) {
      const { access, secret } = keys;
      const user = ['create-user', '--access', access, '--secret', secret, '--role', 'user'];
      await promisify(execFile)(SERVER, ['admin', ...user], {
        env: {
          ...process.env,
          ADMIN_ACCESS_KEY: owner.access,
          ADMIN_SECRET_KEY: owner.secret,
          ADMIN_REGION: REGION,
          ADMIN_ENDPOINT_URL: url,
        },
      });
      const Policy = JSON.stringify({
        Version: '2012-10-17',
        Statement: statements.map((statement) => ({ Principal: { AWS: [access] }, ...statement })),
      });
      await client.send(new PutBucketPolicyCommand({ Bucket: BUCKET, Policy }));
      return environmentOf(url, keys);
    },
  };
}

function environmentOf(url: string, { access, secret }: Keys): Readonly<Record<string, string>> {
  return {
    AWS_ENDPOINT_URL_S3: url,
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: access,
    AWS_SECRET_ACCESS_KEY: secret,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  };
}
