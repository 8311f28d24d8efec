/** The forms that every command can print. */
export const FORMS = ['text', 'json', 'jsonl', 'csv'] as const;
/** One of the forms. */
export type Form = (typeof FORMS)[number];
