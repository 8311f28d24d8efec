import { type KubeObject, type ObjectFields, refusalOf } from './objects.ts';
import { Each, Projection } from './projection.ts';
import type { Listed } from './reflector.ts';
import { type KubeRequest, send } from './request.ts';

/** What is kept of objects. */
export interface Kept<Item> {
  readonly fields: ObjectFields;
  /** Makes an item of them; undefined: none. */
  read(object: KubeObject): Item | undefined;
}

/**
 * Gets a list and keeps an item of each object. The list is read while it arrives, so that it takes
 * no more memory than its items, however many and large the objects are. Throws a refusal, and an
 * answer that is not a complete list.
 */
export async function listObjects<Item>(
  request: KubeRequest,
  { fields, read }: Kept<Item>,
): Promise<Listed<Item>> {
  const response = await send(request);
  if (response.statusCode !== 200) throw await refusalOf(response);
  const items: Item[] = [];
  let list: KubeObject | undefined;
  const projection = new Projection({
    fields: { kind: true, metadata: { resourceVersion: true }, items: new Each(fields) },
    onElement(object) {
      const item = read(object as KubeObject);
      if (item !== undefined) items.push(item);
    },
    onDocument(document) {
      list = document as KubeObject;
    },
  });
  for await (const chunk of response.setEncoding('latin1')) projection.write(chunk);
  if (projection.isWithinDocument || list === undefined)
    throw new Error('the answer ended too early');
  if (!list.kind?.endsWith('List')) throw new Error('the answer is not a list');
  return { items, resourceVersion: list.metadata?.resourceVersion ?? '0' };
}
