import { ForensicsError } from '../errors.ts';
import type { Problem } from '../inputs/find.ts';
import { type Access, kubectl } from './kubectl.ts';

/** A pod with an agent, and its node. */
export interface Agent {
  readonly node: string;
  readonly namespace: string;
  readonly pod: string;
  /** other pods with an agent that run on the node */
  readonly others: readonly string[];
}

/** Where agents are looked for. */
export interface Place extends Access {
  /** undefined: in all namespaces */
  readonly agentNamespace?: string;
  /** the labels of their pods */
  readonly selector: string;
  /** undefined: on all nodes */
  readonly node?: string;
}

/** The agents that can be asked, one for each node, and nodes without one or with several. */
export interface Agents {
  readonly agents: readonly Agent[];
  readonly problems: readonly Problem[];
  /** nodes whose records may not all come, and why */
  readonly unjudged: ReadonlyMap<string, string>;
}

/** The parts of a pod or a node that matter, as the API server writes them. */
interface Item {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly deletionTimestamp?: string;
  };
  readonly spec?: { readonly nodeName?: string };
  readonly status?: { readonly phase?: string };
}

/** A pod that runs, and is not being deleted. */
const RUNS = 3;

/** Finds the agents of a cluster; throws if there is none, or if kubectl cannot list them. */
export async function findAgents(place: Place): Promise<Agents> {
  const { agentNamespace, selector, node } = place;
  const where = agentNamespace === undefined ? '--all-namespaces' : `--namespace=${agentNamespace}`;
  const [pods, nodes] = await Promise.all([
    list(place, ['pods', where, `--selector=${selector}`]).catch((cause) => {
      const hint = agentNamespace === undefined ? '; try --agent-namespace' : '';
      throw new ForensicsError('unreadable', `cannot list pods: ${cause.message}${hint}`, {
        cause,
      });
    }),
    list(place, ['nodes', '--selector=kubernetes.io/os=linux']).catch((error: Error) => error),
  ]);
  const agents = agentsOf(pods.filter(({ spec }) => node === undefined || spec?.nodeName === node));
  if (agents.length === 0)
    throw new ForensicsError(
      'unreadable',
      `no pod with the labels ${selector} runs ${node === undefined ? 'in this cluster' : `on ${node}`}; see --selector and --agent-namespace`,
    );
  const problems = agents.flatMap(severalOn);
  const unjudged = new Map<string, string>(
    problems.map(({ path }) => [path, 'several agents run on it'] as const),
  );
  if (node !== undefined) return { agents, problems, unjudged };
  if (nodes instanceof Error) {
    const why = `cannot list nodes: ${nodes.message}`;
    return { agents, problems: [...problems, { path: 'nodes without an agent', why }], unjudged };
  }
  for (const path of withoutAgent(nodes, agents)) {
    problems.push({ path, why: 'the node has no pod with an agent' });
    unjudged.set(path, 'it has no agent');
  }
  return { agents, problems, unjudged };
}

/**
 * Chooses one pod for each node: one that runs rather than one that ends. Throws if the pods are of several
 * namespaces: whoever may create a pod in any of them could answer in the place of the agents.
 */
export function agentsOf(pods: readonly Item[]): Agent[] {
  const placed = pods.filter(({ spec }) => spec?.nodeName !== undefined);
  const namespaces = [...new Set(placed.map(({ metadata }) => metadata.namespace ?? ''))].sort();
  if (namespaces.length > 1)
    throw new ForensicsError(
      'usage',
      `pods in several namespaces have the labels of agents (${namespaces.join(', ')}): name the namespace of the agents with --agent-namespace, because anyone who may create a pod can give it these labels`,
    );
  return [...Map.groupBy(placed, ({ spec }) => spec?.nodeName ?? '')]
    .flatMap(([node, all]) => {
      const [first, ...rest] = all.toSorted((a, b) => rankOf(b) - rankOf(a));
      if (first === undefined) return [];
      const { name: pod, namespace = '' } = first.metadata;
      const others = rest
        .filter((one) => rankOf(one) === RUNS)
        .map(({ metadata }) => metadata.name);
      return [{ node, namespace, pod, others }];
    })
    .sort((a, b) => (a.node < b.node ? -1 : 1));
}

/** Says that several agents run on a node; one of them may be another one's successor, or an impostor. */
function severalOn({ node, pod, others }: Agent): Problem[] {
  if (others.length === 0) return [];
  const why = `of the agents in the pods ${[pod, ...others].join(', ')}, only the first was asked`;
  return [{ path: node, why }];
}

/** Returns the names of nodes that no agent answers for. */
export function withoutAgent(nodes: readonly Item[], agents: readonly Agent[]): string[] {
  const there = new Set(agents.map(({ node }) => node));
  return nodes.map(({ metadata }) => metadata.name).filter((name) => !there.has(name));
}

function rankOf({ metadata, status }: Item): number {
  return Number(status?.phase === 'Running') * 2 + Number(metadata.deletionTimestamp === undefined);
}

async function list(access: Access, args: readonly string[]): Promise<Item[]> {
  const text = await kubectl(access, ['get', ...args, '--output=json']);
  return (JSON.parse(text) as { readonly items: Item[] }).items;
}
