import { decimal } from './table.ts';

/** One figure with its budget; smaller is always better. */
export interface Figure {
  readonly what: string;
  /** The measured value, which is compared with the budget. */
  readonly value: number;
  readonly unit: string;
  readonly digits?: number;
  /** Details for the reader. */
  readonly more?: string;
  readonly budget?: number;
}

/** Formats a row: figure, measured value, budget, verdict, details. */
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
