import type { Log } from '../../../agent/log-events.ts';
import { current } from './current.ts';

/** In place of what reports a problem once in ten minutes: here every report counts. */
export function suppressRepeats(report: (error: Error) => void): (error: Error) => void {
  return report;
}

/** In place of the log on stderr. */
export function createLog(): Log {
  return (code, fields = {}) => current().logged(code, fields);
}
