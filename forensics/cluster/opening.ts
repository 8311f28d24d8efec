import type { Opening } from '../commands/reading.ts';
import { strangersIn } from '../completeness/senders.ts';
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
      const { agents, problems, unjudged } = await findAgents(where);
      const sent = await askAgents(agents, args, {
        access: place,
        temporary,
        timeoutMs: place.timeout,
        onProgress: (asked) => {
          percentage = (100 * asked) / agents.length;
        },
      });
      sent.answers.problems.push(...problems);
      const journals = await Journals.open(sent.answers, undefined, temporary);
      if (args.includes(NEIGHBORS))
        journals.agents = {
          asked: agents.map((one) => one.node),
          unsearched: sent.unsearched,
          unjudged: new Map([...sent.unjudged, ...unjudged]),
        };
      else await leaveUnjudged(journals);
      return journals;
    },
  };
}

/** Says that the memory is not judged, and which agents sent records of other nodes. */
async function leaveUnjudged(journals: Journals): Promise<void> {
  journals.completeness = NOT_JUDGED;
  await journals.scan('sent', ['node']);
  const strangers = await strangersIn(journals, 'sent');
  const remarks = Array.from(
    strangers,
    ([node, count]) => `${node}: sent records of other nodes: ${count}`,
  );
  journals.notes = [...journals.notes, ...remarks];
}
