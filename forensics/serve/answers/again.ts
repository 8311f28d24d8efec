import type { Answered, Question } from './question.ts';

/** Reads the inputs again, and says so when that is done. */
export async function again({ readAgain, signal }: Question): Promise<Answered> {
  const { promise, reject } = Promise.withResolvers<never>();
  const leave = () => reject(signal.reason);
  signal.addEventListener('abort', leave, { once: true });
  try {
    await Promise.race([readAgain(), promise]);
    return { read: true };
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
