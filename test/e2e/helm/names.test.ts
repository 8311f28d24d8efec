import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { daemonSet, HELMS, objectOf, type Rendered, template } from './template.ts';

/** Values with which the chart creates an object of every kind. */
const ALL = `
collector: {enabled: true}
dashboard: {enabled: true}
networkPolicy: {from: [{namespaceSelector: {}}]}
podMonitor: {enabled: true}
priorityClass: {create: true}
prometheusRule: {enabled: true}
`;

for (const helm of HELMS)
  test(`${helm}: releases of one name in two namespaces have no object in common`, () => {
    const [one, other] = ['one', 'two'].map((namespace) =>
      template(ALL, helm, namespace).map(identityOf),
    );
    ok(one?.some((object) => object.startsWith('PriorityClass')));
    deepEqual(
      one?.filter((object) => other?.includes(object)),
      [],
    );
  });

test('the pods name the PriorityClass that the chart creates, and the binding its ClusterRole', () => {
  const objects = template(ALL);
  const names = (kind: string) => objectOf(kind, objects)?.metadata.name;
  const { priorityClassName } = daemonSet(ALL).spec.template.spec;
  equal(priorityClassName, names('PriorityClass'));
  const { roleRef } = objectOf('ClusterRoleBinding', objects) as unknown as Binding;
  equal(roleRef.name, names('ClusterRole'));
});

interface Binding {
  readonly roleRef: { readonly name: string };
}

function identityOf({ kind, metadata: { name, namespace } }: Rendered): string {
  return `${kind} ${namespace ?? ''}/${name}`;
}
