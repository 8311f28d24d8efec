/** The text of a kubeconfig with one cluster and one user, both named `test`. */
export function kubeconfigOf(
  cluster: Readonly<Record<string, unknown>>,
  user: Readonly<Record<string, string>>,
): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster }],
    users: [{ name: 'test', user }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  });
}
