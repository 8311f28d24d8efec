import type { Answered, Question } from './question.ts';

/** Says how complete the records of the nodes and the time of a selection are. */
export async function completeness(question: Question): Promise<Answered> {
  const { memory, parameters, signal } = question;
  return { completeness: await memory.completeness(parameters.selection, signal) };
}
