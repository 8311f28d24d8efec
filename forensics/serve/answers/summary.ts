import type { Answered, Question } from './question.ts';

/** Says what the records are, and what is missing. */
export async function summary(question: Question): Promise<Answered> {
  const { memory, auditLogFor, title, isRepeatable, signal } = question;
  const about = await memory.about(signal);
  const { first = null, last = null, loaded = null, since = null } = about;
  const { summary: auditLog = null } = await auditLogFor([], signal);
  return { ...about, title, isRepeatable, first, last, loaded, since, auditLog };
}
