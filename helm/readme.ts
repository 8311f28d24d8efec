import { listValues } from './values-yaml.ts';

/** The chart's README.md. */
export function chartReadme(): string {
  const rows = listValues()
    .filter(({ value }) => value !== undefined)
    .map(({ key, description, value }) => {
      const text = JSON.stringify(value);
      return `| \`${key}\` | ${description} | \`${text}\` |`.replaceAll(/(?<! )\|(?! )/g, '\\|');
    });
  return `${HEAD}\n| value | what it does | default |\n|---|---|---|\n${rows.join('\n')}\n${TAIL}`;
}

const HEAD = `# vcml-agent, the chart
`;
const TAIL = ``;
