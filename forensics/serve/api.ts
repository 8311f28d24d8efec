import type { IncomingMessage, ServerResponse } from 'node:http';
import { plainNumbers } from '../report/pack.ts';
import { again } from './answers/again.ts';
import { completeness } from './answers/completeness.ts';
import { exportRecords } from './answers/export.ts';
import { histogram } from './answers/histogram.ts';
import type { Answered, Question } from './answers/question.ts';
import { children, record, records, tree } from './answers/records.ts';
import { summary } from './answers/summary.ts';
import { unknown } from './answers/unknown.ts';
import { values } from './answers/values.ts';
import { parametersOf } from './parameters.ts';
import type { Readings } from './readings.ts';
import { Refusal } from './refusal.ts';
import type { Turns } from './turns.ts';

/** What can be asked, with its parameters besides the selection. */
interface Route {
  readonly parameters: readonly string[];
  /** Whether the path names what it is about. */
  readonly isAbout?: boolean;
  /** Whether the answer takes as long as the reader. */
  readonly isDownload?: boolean;
  readonly answer: (question: Question, response: ServerResponse) => Promise<Answered | undefined>;
}

const ROUTES = new Map<string, Route>([
  ['summary', { parameters: [], answer: summary }],
  ['completeness', { parameters: [], answer: completeness }],
  ['histogram', { parameters: ['bars'], answer: histogram }],
  ['records', { parameters: ['after', 'before', 'from', 'limit'], answer: records }],
  ['record', { parameters: ['at', 'on'], isAbout: true, answer: record }],
  ['children', { parameters: ['at', 'on', 'after', 'limit'], isAbout: true, answer: children }],
  ['tree', { parameters: ['after', 'limit'], answer: tree }],
  ['values', { parameters: ['prefix', 'limit'], isAbout: true, answer: values }],
  ['unknown', { parameters: [], answer: unknown }],
  ['export', { parameters: ['form'], isDownload: true, answer: exportRecords }],
  ['again', { parameters: [], answer: again }],
]);

/** What questions are about. */
export interface Asked {
  readonly readings: Readings;
  readonly title: string;
  /** Only so many questions are answered at once. */
  readonly turns: Turns;
  /** Downloads keep no question waiting. */
  readonly downloads: Turns;
  /** aborted when the server stops */
  readonly stop: AbortSignal;
}

/** Answers a question of the page; the work ends when the page no longer waits. */
export async function answerQuestion(
  { readings, title, turns, downloads, stop }: Asked,
  { pathname, searchParams }: URL,
  response: ServerResponse,
): Promise<void> {
  const [name = '', about = '', ...more] = pathname.split('/').slice(2).map(decoded);
  const route = ROUTES.get(name);
  if (route === undefined || more.length > 0 || (about === '') === (route.isAbout ?? false))
    throw new Refusal(404, 'there is no such question');
  const parameters = parametersOf(searchParams, route.parameters);
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const signal = AbortSignal.any([gone.signal, stop]);
  const asked = { title, isRepeatable: readings.areRepeatable, parameters, about, signal };
  await (route.isDownload ? downloads : turns).take(signal, () =>
    readings.use(async ({ memory, auditLogFor }) => {
      const readAgain = () => readings.again();
      const question = { ...asked, memory, auditLogFor, readAgain };
      const answered = await route.answer(question, response);
      if (answered !== undefined) sendJson(response, 200, answered);
    }),
  );
}

/** Sends an answer as JSON. */
export function sendJson(
  response: ServerResponse,
  status: number,
  answer: Answered,
  headers: IncomingMessage['headers'] = {},
): void {
  response.writeHead(status, { ...headers, 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(answer, plainNumbers));
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new Refusal(400, 'the path has a percent sign that encodes nothing');
  }
}
