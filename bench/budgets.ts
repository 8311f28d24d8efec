import { decimal } from './table.ts';

/** One figure beside its budget; smaller is better, always. */
export interface Figure {
  readonly what: string;
  /** what is compared with the budget */
  readonly value: number;
  readonly unit: string;
  readonly digits?: number;
  /** more about it, for people */
  readonly more?: string;
  readonly budget?: number;
}

/** A row: what, measured, budget, verdict, more. */
export function figureRow({ what, value, unit, digits = 1, more, budget }: Figure): string[] {
  const text = (number: number) => `${decimal(number, digits)} ${unit}`.trimEnd();
  return [
    what,
    text(value),
    budget === undefined ? '–' : `≤ ${text(budget)}`,
    budget === undefined ? '–' : verdict(value, budget, text),
    more ?? '',
  ];
}

function verdict(value: number, budget: number, text: (number: number) => string): string {
  if (value <= budget) return 'ok';
  if (Number.isNaN(value)) return 'unknown';
  return `misses by ${text(value - budget)}`;
}
