import { ForensicsError } from '../errors.ts';
import type { Problem } from '../inputs/find.ts';
import { type Access, kubectl } from './kubectl.ts';

/** A pod with an agent, and its node. */
export interface Agent {
  readonly node: string;
  readonly namespace: string;
  readonly pod: string;
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

/** The agents that can be asked, one for each node, and nodes without one. */
export interface Agents {
  readonly agents: readonly Agent[];
  readonly problems: readonly Problem[];
  /** the names of nodes that no agent answers for */
  readonly without: readonly string[];
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
  const agents = agentsOf(pods).filter((agent) => node === undefined || agent.node === node);
  if (agents.length === 0)
    throw new ForensicsError(
      'unreadable',
      `no pod with the labels ${selector} runs ${node === undefined ? 'in this cluster' : `on ${node}`}; see --selector and --agent-namespace`,
    );
  if (node !== undefined) return { agents, problems: [], without: [] };
  if (nodes instanceof Error)
    return {
      agents,
      problems: [{ path: 'nodes without an agent', why: `cannot list nodes: ${nodes.message}` }],
      without: [],
    };
  const without = withoutAgent(nodes, agents);
  const why = 'the node has no pod with an agent';
  return { agents, problems: without.map((path) => ({ path, why })), without };
}

/** Chooses one pod for each node: one that runs rather than one that ends. */
export function agentsOf(pods: readonly Item[]): Agent[] {
  const byNode = new Map<string, Item>();
  for (const pod of pods) {
    const node = pod.spec?.nodeName;
    if (node === undefined) continue;
    const other = byNode.get(node);
    if (other === undefined || rankOf(pod) > rankOf(other)) byNode.set(node, pod);
  }
  return [...byNode]
    .map(([node, { metadata }]) => ({
      node,
      namespace: metadata.namespace ?? '',
      pod: metadata.name,
    }))
    .sort((a, b) => (a.node < b.node ? -1 : 1));
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
