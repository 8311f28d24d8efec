import { CONTEXT } from '../fields/context.ts';
import { EXECUTABLE } from '../fields/executable.ts';
import { INVOCATION } from '../fields/invocation.ts';
import type { Invocation } from '../types.ts';
import { createAttributesText } from './attributes.ts';
import { json } from './json-text.ts';
import { LAYOUT } from './layout.ts';

/** The parts of a line that are the same for every exec of an invocation, in UTF-8. */
export interface InvocationText {
  /** from the actor's `uid` to the name of `permitted_by` */
  readonly core: Uint8Array;
  readonly attributes: Uint8Array;
}

/** A longer text is rendered each time: what lets it be long may be chosen. */
const KEPT_LENGTH = 2048;

const executableText = keep(createAttributesText(EXECUTABLE));
const ownText = createAttributesText(INVOCATION);
const contextText = keep(createAttributesText(CONTEXT));

/** Renders what an invocation says in every line. */
export function invocationText(invocation: Invocation): InvocationText {
  const { executable, context, comm, object } = invocation;
  return {
    core: Buffer.from(
      `${LAYOUT.uid}${context.uid}${LAYOUT.gid}${context.gid}${LAYOUT.comm}${json(comm)}` +
        `${LAYOUT.action}"exec"${LAYOUT.object}${json(object)}${LAYOUT.permittedBy}`,
    ),
    attributes: Buffer.from(
      `${executableText(executable)}${ownText(invocation)}${contextText(context)}`,
    ),
  };
}

/** There are few distinct executables and contexts; a short text is kept for as long as they are. */
function keep<Source extends object>(
  render: (source: Source) => string,
): (source: Source) => string {
  const kept = new WeakMap<Source, string>();
  return (source) => {
    const known = kept.get(source);
    if (known !== undefined) return known;
    const text = render(source);
    if (text.length <= KEPT_LENGTH) kept.set(source, text);
    return text;
  };
}
