import { Refusal } from './refusal.ts';

/** Knows the names of options, variables, headers and fields whose values are secret. */
export interface SecretNames {
  /** What a text is searched for: how these names end. */
  readonly keywords: readonly string[];
  /** A sticky expression of the end of a name, from where a keyword begins. */
  readonly ending: RegExp;
  /** Whether a whole name, with its dashes, means a secret. */
  has(name: string): boolean;
}

/** How names of secrets end; `key` and `auth` mean a secret only together with the word before. */
const ENDINGS = [
  '(?:token|otp|mfa|totp|auth)[-_]?code',
  'pass(?:word|wd|phrase|code|in|out)?|pwd|secret(?:[-_]?(?:string|text|key[-_]?base))?|token|key|cred(?:ential)?s?',
  'auth(?:orization)?|cookie|psk',
  'bearer|jwt|totp|otp|pin|pw|mnemonic|seed(?:[-_]?phrase)?',
];
const KEYWORDS = ['pass', 'pwd', 'secret', 'token', 'key', 'cred', 'auth', 'cookie', 'psk', 'pw'];
/** Words that mean a secret only as an option: `--oauth2-bearer`, `--jwt`, `--auth`, `-upw`. */
const OPTION_KEYWORDS = ['bearer', 'jwt', 'otp', 'pin', 'mfa', 'mnemonic', 'seed'];
const OPTION =
  /^--?(?:(?:[\w.-]*-)?(?:bearer|pin|auth|mnemonic|seed(?:-phrase)?)|jwt|otp|\w*pw|(?:[\w-]*-)?(?:token|otp|mfa|totp|auth)-?code)$/i;

const KEYS =
  'api|access|secret|private|encryption|signing|master|auth|account|storage|subscription|shared|session|functions?|hmac|ssh';
const BARE =
  'pass(?:word|wd|phrase|code|in|out)?|pwd|secret(?:[-_]?(?:string|text|key[-_]?base))?|token|cred(?:ential)?s?';
const SECRET = `(?:${BARE}|(?:${KEYS})[-_.]?key|_auth|masterauth|authorization|cookie|\\bpsk|_psk|_pw)(?:_?\\d{1,3})?$`;
const HARMLESS = new RegExp(
  [
    '^-*(?:no|skip|without|disabled?|empty|ask|prompt|show|use|allow|enable)[-_.]',
    '^-*askpass$|^--?stdin-',
    '(?:next|page|starting|continuation|pagination|pull|load)[-_.]?(?:token|secret|credentials?)$',
    'existing[-_.]?secret$|^user\\.signingkey$',
    '(?:^|[-_.])(?:by|com|encom|tres|sur|under|over)pass$|^set-credentials?$',
  ].join('|'),
  'i',
);
const FOLDERS = /^(?:OLD)?PWD$/;

/** Makes the set of names that are known to mean secrets, with `extra` ones. */
export function createSecretNames(extra: readonly string[]): SecretNames {
  const given = extra.map(parseName);
  const endings = [...given.map(({ ending }) => ending), ...ENDINGS].join('|');
  const secret = new RegExp(
    [SECRET, ...given.map(({ pattern }) => `(?<![a-z\\d])${pattern}$`)].join('|'),
    'i',
  );
  return {
    keywords: [...new Set([...KEYWORDS, ...OPTION_KEYWORDS, ...given.map(({ ending }) => ending)])],
    ending: new RegExp(`(?:${endings})(?:_?\\d{1,3})?`, 'iy'),
    has: (name) =>
      (secret.test(name) || OPTION.test(name)) && !HARMLESS.test(name) && !FOLDERS.test(name),
  };
}

/** Reads an extra name: its last word, and a pattern of the whole name with any separators. */
function parseName(name: string): { readonly ending: string; readonly pattern: string } {
  const words = name.replace(/^-+/, '').toLowerCase().split(/[-_.]/);
  const ending = words.at(-1) ?? '';
  if (name.length > 64 || !words.every((word) => /^[a-z\d]+$/.test(word)) || ending.length < 2)
    throw new Refusal('name', name, 'it is not of words of letters and digits');
  return { ending, pattern: words.join('[-_.]?') };
}
