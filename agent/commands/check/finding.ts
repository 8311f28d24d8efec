/** What one check found on this node. */
export interface Finding {
  readonly name: string;
  /** `off`: the configuration does not ask for it. */
  readonly result: 'ok' | 'failed' | 'off';
  /** what there is, or what is wrong */
  readonly found: string;
  /** what to do, where something is wrong or will be missing in records */
  readonly remedy?: string | undefined;
}

/** A check without its name. It may throw; the message is what is wrong then. */
export type Check = () => Omit<Finding, 'name'> | Promise<Omit<Finding, 'name'>>;

export function ok(found: string, remedy?: string): Omit<Finding, 'name'> {
  return { result: 'ok', found, remedy };
}

export function failed(found: string, remedy?: string): Omit<Finding, 'name'> {
  return { result: 'failed', found, remedy };
}

export function off(found: string): Omit<Finding, 'name'> {
  return { result: 'off', found };
}

/** Makes a check, and takes what it throws for what is wrong. */
export async function findingOf(name: string, check: Check): Promise<Finding> {
  try {
    return { name, ...(await check()) };
  } catch (error) {
    return { name, result: 'failed', found: error instanceof Error ? error.message : `${error}` };
  }
}
