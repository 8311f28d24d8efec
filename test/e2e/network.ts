import { execFile, execFileSync } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { ROOT } from '../support/paths.ts';
import {
  DIR,
  GATEWAY_ADDRESS,
  INSIDE_ADDRESS,
  NETWORK_NAMESPACE,
  NODE_ADDRESS,
  OUTSIDE_ADDRESS,
  OUTSIDE_LINK,
  POD_RANGE,
} from './place.ts';

/** The folder of the components, which `make e2e` builds. */
export const BIN = process.env.KUBE_BIN ?? join(ROOT, 'build/e2e/bin');

const OUTPUT_MAX = 64 << 20;
/** The environment without proxies, which do not apply to the cluster. */
const WITHOUT_PROXY = ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy'].flatMap((name) => [
  '-u',
  name,
]);

/** Creates the cluster's network: a namespace whose only link leads nowhere. */
export function createNetwork(): void {
  ip('netns', 'add', NETWORK_NAMESPACE);
  inside('link', 'set', 'lo', 'up');
  inside('link', 'add', 'uplink', 'type', 'bridge');
  inside('addr', 'add', `${NODE_ADDRESS}/24`, 'dev', 'uplink');
  inside('link', 'set', 'uplink', 'up');
  inside('route', 'add', 'default', 'via', GATEWAY_ADDRESS, 'dev', 'uplink');
  const [command = '', ...args] = inNetwork(['sysctl', '-qw', 'net.ipv4.ip_forward=1']);
  execFileSync(command, args);
}

/**
 * Links the cluster's network to this machine, so that nodes and pods reach what listens at
 * OUTSIDE_ADDRESS, as they would reach a server outside of the cluster, and nothing else.
 */
export function linkOutside(): void {
  const inner = ['peer', 'name', 'outside', 'netns', NETWORK_NAMESPACE];
  ip('link', 'add', OUTSIDE_LINK, 'type', 'veth', ...inner);
  ip('addr', 'add', `${OUTSIDE_ADDRESS}/30`, 'dev', OUTSIDE_LINK);
  ip('link', 'set', OUTSIDE_LINK, 'up');
  inside('addr', 'add', `${INSIDE_ADDRESS}/30`, 'dev', 'outside');
  inside('link', 'set', 'outside', 'up');
  ip('route', 'add', POD_RANGE, 'via', INSIDE_ADDRESS);
}

/**
 * Returns a command line that runs another one in the cluster's network. It does not use `ip netns
 * exec`, which mounts another /sys without the cgroups below it.
 */
export function inNetwork(command: readonly string[]): string[] {
  return [
    'nsenter',
    `--net=/run/netns/${NETWORK_NAMESPACE}`,
    'env',
    ...WITHOUT_PROXY,
    `KUBECONFIG=${DIR}/admin.conf`,
    `PATH=${BIN}${delimiter}${process.env.PATH}`,
    ...command,
  ];
}

/** Runs a command in the cluster's network to its end and returns its output. */
export function run(command: readonly string[], input = ''): Promise<string> {
  const [file = '', ...args] = inNetwork(command);
  return new Promise((resolve, reject) => {
    const child = execFile(file, args, { maxBuffer: OUTPUT_MAX }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${command.join(' ')}: ${stderr || error.message}\n${stdout}`));
    });
    child.stdin?.on('error', () => {}); // the command did not read its input
    child.stdin?.end(input);
  });
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args);
}

function inside(...args: readonly string[]): void {
  ip('-n', NETWORK_NAMESPACE, ...args);
}
