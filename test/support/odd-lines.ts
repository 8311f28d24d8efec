import { exec, text } from '../check/craft.ts';

/** What a line is like, and the line. */
export type Odd = readonly [what: string, line: string];

let pid = 5000;

/** Returns the line of a sound exec that no other call returns. */
export function execLine(): string {
  pid += 1;
  return text(exec(pid, pid, 0, pid));
}

const changed = (what: string, change: (line: string) => string): Odd => [what, change(execLine())];
const withMember = (what: string, member: string) =>
  changed(what, (line) => line.replace('"attributes":{', `"attributes":{${member},`));

function nested(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth);
}

/** Lines of execs that are odd, and say the same to every reader of JSON. */
export const RECORDS: readonly Odd[] = [
  changed('as the agent writes it', (line) => line),
  changed('white space', (line) => ` \t${line.replaceAll('":', '" : ')} \r`),
  changed('no attributes that are known', (line) => line.replaceAll('vcml.', 'x.')),
  withMember('a colon, a quote and a brace in a string', '"x":"a\\":\\\\\\"{,}"'),
  withMember('the same name in another object', '"vcml.cpu2":{"a":1},"y":[{"a":1},{"a":1}]'),
  withMember('a pair of surrogates', '"x":"\\ud83d\\ude00"'),
  withMember('the name of a prototype', '"__proto__":{"id":"x"}'),
  withMember('the name of a member within a string', '"x":"\\"id\\":\\"y\\""'),
  withMember('numbers of every form', '"x":[-0,1E5,1.5e-7,12345678901234567890123]'),
  withMember('strings that name what is no JSON', '"x":["NaN","Infinity",",}"]'),
  withMember('64 lists and objects in one another', `"x":${nested(62)}`),
];

/** Lines that look like records. DuckDB takes most of them for records. */
export const NOT_RECORDS: readonly Odd[] = [
  changed('a comma behind the last member', (line) => line.replace(/\}$/, ',}')),
  changed('a comma behind the last attribute', (line) => line.replace(/\}\}$/, '},}')),
  withMember('a comma behind the last item', '"x":[1,]'),
  withMember('NaN', '"x":NaN'),
  withMember('infinity', '"x":-Infinity'),
  withMember('infinity in other letters', '"x":inf'),
  changed('a number as its id', (line) => line.replace(/"id":"[^"]*"/, '"id":5')),
  changed('an object as its id', (line) => line.replace(/"id":("[^"]*")/, '"id":{"id":$1}')),
  changed('null as its id', (line) => line.replace(/"id":"[^"]*"/, '"id":null')),
  changed('a list', (line) => `[${line}]`),
  changed('another record behind it', (line) => `${line}${execLine()}`),
  changed('another brace behind it', (line) => `${line}}`),
  changed('vertical white space', (line) => `\v${line}\f`),
  changed('a space that is not one of JSON', (line) => `\u00a0${line}`),
  changed('two ids', (line) => line.replace(/\}$/, ',"id":"x"}')),
  changed('two objects', (line) => line.replace('"object":', '"object":"/usr/bin/y","object":')),
  changed('two actors', (line) => line.replace('"actor":', '"actor":{"pid":1},"actor":')),
  withMember('an attribute twice', '"vcml.cpu":3'),
  withMember('an unknown attribute twice', '"x":1,"x":1'),
  withMember('a name twice, once with an escape', '"x":{"ab":1,"\\u0061b":2}'),
  withMember('half of a surrogate pair', '"x":"\\ud800"'),
  withMember('half of a surrogate pair in a name', '"\\udc00":1'),
  withMember('a leading zero', '"x":01'),
  withMember('a comment', '"x":1/* */'),
  withMember('a control character', '"x":"\u0001"'),
  withMember('65 lists and objects in one another', `"x":${nested(63)}`),
  withMember('65 objects in one another', `"x":${'{"a":'.repeat(63)}1${'}'.repeat(63)}`),
  withMember('lists that are nested deeper than a stack', `"x":${nested(20_000)}`),
  changed('lists that are nested so in the resource', (line) =>
    line.replace('"resource":{', `"resource":{"x":${nested(20_000)},`),
  ),
  changed('lists that are nested so beside what is known', (line) =>
    line.replace(/\}$/, `,"x":${nested(20_000)}}`),
  ),
];
