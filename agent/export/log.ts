/** Where the export tells what happens: the message is a constant, what varies is in the fields. */
export type ExportLog = Readonly<
  Record<'info' | 'warn' | 'error', (fields: object, message: string) => void>
>;
