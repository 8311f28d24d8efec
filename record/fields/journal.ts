import { type JournalRecord, type Loss, rangeTexts, type Withheld } from '../types.ts';
import { ALWAYS, type Attribute } from './field.ts';

type Of<Action> = Extract<JournalRecord, { readonly action: Action }>;

const WITH_NUMBERS = 'where the numbers of the lost records are known';

/** What `journal.start` and `journal.stop` both say about the hook. */
const hookState = {
  key: 'vcml.hook.state',
  type: 'string',
  when: ALWAYS,
  about:
    'At the start `attached` (new), `resumed` (kept from an earlier run) or `upgraded` (kept, with programs attached again); at the stop `kept` or `detached`.',
  value: ({ hookState }) => hookState,
} as const satisfies Attribute<Of<'journal.start' | 'journal.stop'>>;

/** What `journal.start` says, in the order of a line. */
export const START = {
  agentVersion: {
    key: 'vcml.agent.version',
    type: 'string',
    when: ALWAYS,
    about: 'The version of the agent.',
    value: ({ version }) => version,
  },
  formatVersion: {
    key: 'vcml.format.version',
    type: 'integer',
    when: ALWAYS,
    about: 'The version of this format.',
    value: () => 2,
  },
  hookState,
  hookNextSeq: {
    key: 'vcml.hook.next_seq',
    type: 'integers',
    when: ALWAYS,
    about:
      'The next expected number of each CPU; records with lower numbers stand before this line or in another journal.',
    value: ({ nextSeq }) => nextSeq,
  },
} as const satisfies Record<string, Attribute<Of<'journal.start'>>>;

/** What `journal.loss` says, in the order of a line. */
export const LOSS = {
  lossStage: {
    key: 'vcml.loss.stage',
    type: 'string',
    when: ALWAYS,
    about: 'Where the records were lost (see [Numbers and losses](#numbers-and-losses)).',
    value: ({ stage }) => stage,
  },
  lossHookId: {
    key: 'vcml.loss.hook_id',
    type: 'decimal',
    when: 'except at stage `reboot`',
    about:
      'The hook that gave the numbers, which may be an earlier one; without numbers, the hook of the records around those that are lost.',
    value: ({ hookId }) => hookId,
  },
  lossBootId: {
    key: 'vcml.loss.boot_id',
    type: 'string',
    when: 'at stage `reboot`',
    about: 'The boot that ended.',
    value: ({ bootId }) => bootId,
  },
  lossCpu: {
    key: 'vcml.loss.cpu',
    type: 'integer',
    when: WITH_NUMBERS,
    about: 'The CPU whose numbers are missing.',
    value: ({ cpu }) => cpu,
  },
  lossFirstSeq: {
    key: 'vcml.loss.first_seq',
    type: 'integer',
    when: WITH_NUMBERS,
    about: 'The first missing number.',
    value: ({ firstSeq }) => firstSeq,
  },
  lossLastSeq: {
    key: 'vcml.loss.last_seq',
    type: 'integer',
    when: WITH_NUMBERS,
    about: 'The last missing number.',
    value: ({ lastSeq }) => lastSeq,
  },
  lossCount: {
    key: 'vcml.loss.count',
    type: 'integer',
    when: 'where it is known',
    about: 'How many records are missing.',
    value: ({ count }) => count,
  },
  lossNextSeq: {
    key: 'vcml.loss.next_seq',
    type: 'integers',
    when: 'at stage `reboot`, and at stage `kernel` if the hook was removed',
    about: 'The first number of each CPU that may be missing.',
    value: ({ nextSeq }) => nextSeq,
  },
  lossSince: {
    key: 'vcml.loss.since',
    type: 'nanoseconds',
    when: 'at stage `kernel` if programs or the hook were detached',
    about:
      'The boot time at which all programs were last known to be attached; the loss ends with its own record.',
    value: ({ since }) => since,
  },
} as const satisfies Record<string, Attribute<Loss>>;

/** What `journal.withheld` says, in this order. */
export const WITHHELD = {
  withheldHookId: {
    key: 'vcml.withheld.hook_id',
    type: 'decimal',
    when: ALWAYS,
    about: 'The hook that gave the numbers.',
    value: ({ hookId }) => hookId,
  },
  withheldCpu: {
    key: 'vcml.withheld.cpu',
    type: 'integer',
    when: ALWAYS,
    about: 'The CPU that gave the numbers.',
    value: ({ cpu }) => cpu,
  },
  withheldRanges: {
    key: 'vcml.withheld.ranges',
    type: 'strings',
    when: ALWAYS,
    about:
      'The numbers of the records that rules kept back, as ascending ranges such as `1126-1423`; at most 64.',
    value: ({ ranges }) => rangeTexts(ranges),
  },
  withheldCount: {
    key: 'vcml.withheld.count',
    type: 'integer',
    when: ALWAYS,
    about: 'How many records these are.',
    value: ({ ranges }) => ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0),
  },
} as const satisfies Record<string, Attribute<Withheld>>;

/** What `journal.stop` says, in the order of a line. */
export const STOP = {
  hookState,
  journalRecords: {
    key: 'vcml.journal.records',
    type: 'integer',
    when: ALWAYS,
    about: 'The number of execs that the run recorded.',
    value: ({ records }) => records,
  },
  journalGaps: {
    key: 'vcml.journal.gaps',
    type: 'integer',
    when: ALWAYS,
    about: 'The number of gaps among them.',
    value: ({ gaps }) => gaps,
  },
  journalLosses: {
    key: 'vcml.journal.losses',
    type: 'integer',
    when: ALWAYS,
    about: 'The number of `journal.loss` records in the run.',
    value: ({ losses }) => losses,
  },
} as const satisfies Record<string, Attribute<Of<'journal.stop'>>>;
