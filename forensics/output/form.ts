/** The forms that every command can print. */
export const FORMS = ['text', 'json', 'jsonl', 'csv'] as const;
export type Form = (typeof FORMS)[number];
