import { SETTING } from './names.ts';
import type { Anchor, CommandRule, Look, Operand, Part, Reading, Span } from './reading.ts';
import { looksLikeOption, partOf, wordEnd } from './values.ts';

const SHORT = (letters: string) => new RegExp(`-[${letters}]`, 'y');
const rule = (option: RegExp, part: Part = ''): readonly CommandRule[] => [{ option, part }];

const USER = /-[sSkLvfiIgGO#]*[uU]|--(?:proxy-)?user(?![\w-])/y;
const CURL = [
  ...rule(USER, ':'),
  ...rule(/-E|--(?:proxy-)?cert(?![\w-])/y, ':'),
  ...rule(/-b|--cookie(?![\w-])/y, '='),
];
const MONGO = rule(SHORT('p'));
const LDAP = rule(/-[wy](?![\w-])|-w/y);
const ATTACHED = rule(/-p(?=\S)/y);
const SMB = rule(/-U|--user(?![\w-])/y, '%');
const TOOL_P = rule(SHORT('P'));
const operand = (option: RegExp, after: number, passes: RegExp): readonly CommandRule[] => [
  { option, part: '', operand: { after, passes } },
];
/** An option, or the cost in `-C 10`. */
const OPTION = /^(?:-|\d{1,2}$)/;
const NEW_PASSWORD = [...ATTACHED, ...operand(/password(?=\s|$)/y, 0, OPTION)];
/** how many words of a script are searched for an operand, so that no text is read over and over */
const WORDS_MAX = 16;
/** `-b FILE USER X`; with `-n` as well there is no file. */
const BATCH = [
  ...operand(/-(?=\w*b)(?=\w*n)\w+(?=\s|$)/y, 1, OPTION),
  ...operand(/-(?=\w*b)\w+(?=\s|$)/y, 2, OPTION),
];

/** Rules by the beginning of a command's or subcommand's name. */
const COMMANDS: Readonly<Record<string, readonly CommandRule[]>> = {
  mysql: ATTACHED,
  mariadb: ATTACHED,
  mysqladmin: NEW_PASSWORD,
  'mariadb-admin': NEW_PASSWORD,
  '7z': ATTACHED,
  rar: ATTACHED,
  unrar: ATTACHED,
  zip: TOOL_P,
  unzip: TOOL_P,
  sqlcmd: TOOL_P,
  ipmitool: TOOL_P,
  mosquitto_pub: TOOL_P,
  mosquitto_sub: TOOL_P,
  mosquitto_rr: TOOL_P,
  mosquitto_passwd: BATCH,
  htpasswd: BATCH,
  openssl: rule(/-[kK](?=\s|$)/y),
  vault: operand(/login(?=\s|$)/y, 0, /^(?:-|\w+=)/),
  sshpass: rule(SHORT('p')),
  curl: CURL,
  etcdctl: rule(/--user(?![\w-])/y, ':'),
  http: rule(/-a|--auth(?![\w-])/y, ':'),
  https: rule(/-a|--auth(?![\w-])/y, ':'),
  'redis-cli': rule(/-a(?=\s|$)/y),
  ldap: LDAP,
  mongo: MONGO,
  cqlsh: MONGO,
  login: MONGO,
  useradd: MONGO,
  usermod: MONGO,
  smbclient: SMB,
  rpcclient: SMB,
  secret: rule(/--from-literal(?![\w-])/y, '='),
  set: rule(SETTING),
  config: rule(SETTING),
  ssh: [],
  scp: [],
  rsync: [],
};
/** Names that begin others: mysqldump, mariadb-admin, ldapsearch, mongodump, 7za. */
const FAMILY = /^(?:mysql|mariadb|ldap|mongo|7z)$/;

/** Makes anchors for options whose values are secret only in some commands, such as `mysql -pX`. */
export function commandAnchors(): Anchor[] {
  const commands = Object.entries(COMMANDS).map(
    ([name, rules]): Anchor => [name, commandLook(FAMILY.test(name) ? '[\\w-]*' : '', rules)],
  );
  const ends = [';', '&', '|', '\n'].map((end): Anchor => [end, endOfCommand]);
  // These come before the commands, because a command may have the same name: `vault login`,
  // `docker login -p X`.
  const options = ['-', 'login', 'password'].map((word): Anchor => [word, lookAtOption]);
  return [...options, ...commands, ...ends];
}

function commandLook(more: string, rules: readonly CommandRule[]): Look {
  const rest = new RegExp(`${more}(?=["'\\s]|$)`, 'y');
  return (reading, from, to) => {
    const { text } = reading;
    if (from > 0 && !/[\s"'(;&|]/.test(text[from - 1] ?? '') && !text.startsWith('bin/', from - 4))
      return undefined;
    rest.lastIndex = to;
    if (rest.test(text)) reading.rules = rules;
    return undefined;
  };
}

/** Ends the rules of a command where the next one of a script begins. */
function endOfCommand(reading: Reading, from: number, to: number): undefined {
  if (!reading.script || reading.rules.length === 0) return;
  const { text } = reading;
  const apart = /\s/.test(`${text[from - 1] ?? ' '}${text[to] ?? ' '}`);
  if (text[from] === '\n' ? text[from - 1] !== '\\' : apart) reading.rules = [];
}

function lookAtOption(reading: Reading, from: number) {
  const { text, rules } = reading;
  if (rules.length === 0 || (from > 0 && !/[\s"']/.test(text[from - 1] ?? ''))) return undefined;
  reading.looks += 1;
  for (const { option, part, operand } of rules) {
    option.lastIndex = from;
    if (!option.test(text)) continue;
    let at = option.lastIndex;
    if (at === text.length) {
      reading.awaited = operand ?? { part };
      return undefined;
    }
    if (operand !== undefined) return operandAt(reading, at, operand);
    const apart = /\s/.test(text[at] ?? '');
    if (text[at] === '=') at += 1;
    while (/[ \t]/.test(text[at] ?? '')) at += 1;
    const end = from === 0 && !reading.script ? text.length : wordEnd(reading, at, ';&|<>()');
    return apart && looksLikeOption(text, at, end) ? undefined : partOf(text, at, end, part);
  }
  return undefined;
}

/** Finds an operand in the same text, as in a script. */
function operandAt(reading: Reading, from: number, { after, passes }: Operand): Span | undefined {
  const { text } = reading;
  let left = after;
  let at = from;
  for (let words = 0; words < WORDS_MAX; words++) {
    while (/[ \t]/.test(text[at] ?? '')) at += 1;
    const end = wordEnd(reading, at, ';&|<>()');
    if (end === at) return undefined;
    const passed = passes.test(text.slice(at, end));
    if (!passed && left === 0) return partOf(text, at, end, '');
    if (!passed) left -= 1;
    at = end;
  }
  return undefined;
}
