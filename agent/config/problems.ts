import { AgentError } from '../errors.ts';

/** Returns CONFIGURATION_INVALID with every problem, one a line if there are several. */
export function invalid(problems: readonly string[]): AgentError {
  const [first, ...more] = problems;
  const text = more.length === 0 ? ` ${first}` : ['', ...problems].join('\n  ');
  return new AgentError('CONFIGURATION_INVALID', { problems: text });
}
