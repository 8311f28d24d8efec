import type { Opening } from '../commands/reading.ts';
import { ForensicsError } from '../errors.ts';
import { Journals } from '../journals.ts';
import { findAgents, type Place } from './agents.ts';
import { askAgents } from './ask.ts';
import { argumentsOf, NEIGHBORS, type Question } from './question.ts';

/** An exact name, and no pattern. */
const NAME = /^[-a-z0-9.]+$/;

/** Other records have the numbers that are not here. */
const NOT_JUDGED =
  'complete: not judged, because agents sent only what was asked for; `kubectl vcml gaps --since TIME` judges a time';

/** Opens what the agents of a cluster answer to a question. */
export function askCluster(
  { node, ...place }: Place & { readonly timeout: number },
  question: Question,
): Opening {
  if (question.id === undefined && question.since === undefined)
    throw new ForensicsError(
      'usage',
      'name a time with --since, because each agent would read its whole journal; --since 100w reads everything',
    );
  let percentage = 0;
  return {
    get percentage() {
      return percentage;
    },
    async open(temporary) {
      const args = argumentsOf(question, Date.now());
      const where = node !== undefined && NAME.test(node) ? { ...place, node } : place;
      const { agents, problems, without } = await findAgents(where);
      const { answers, unsearched, unjudged } = await askAgents(agents, args, {
        access: place,
        temporary,
        timeoutMs: place.timeout,
        onProgress: (asked) => {
          percentage = (100 * asked) / agents.length;
        },
      });
      answers.problems.push(...problems);
      const journals = await Journals.open(answers, undefined, temporary);
      for (const name of without) unjudged.set(name, 'it has no agent');
      if (args.includes(NEIGHBORS))
        journals.agents = { asked: agents.map((one) => one.node), unsearched, unjudged };
      else journals.completeness = NOT_JUDGED;
      return journals;
    },
  };
}
