/** The text below the list of commands of the plug-in. */
export const HELP = `
kubectl vcml asks the agent on each node for the records that it needs, through
kubectl exec, and reads what comes as vcml reads files. stderr says how many
nodes answered, and names the others. The last line says how complete the memory
is, if all records of a time were asked for. It needs the right to list pods and
nodes, and to create pods/exec in the namespace of the agents, which is root on
each node.

Examples:
  kubectl vcml query --since 2h --pod shop/cart-7d9f-x2x
  kubectl vcml query --since 14d --exe /tmp/x
  kubectl vcml chain 4a7107b4
  kubectl vcml chain 4a7107b4 --node node-7 --output sentences
  kubectl vcml tree --since 2h --trace 4bf92f3577b34da6a3ce929d0e0e4736
  kubectl vcml gaps --since 1d

Exit codes:
   0  success
   1  no record matches
   2  no node answered
   3  the answer is not from everything: a node did not answer, or has no agent,
      or a part of its journal cannot be read, and stderr says what
  64  bad usage
  70  a bug
`;
