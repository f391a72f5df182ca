import { Child, type Ended } from './processes';

/** `moon`, with whatever script runs it. @returns how it ended */
export async function moon(argv: readonly string[], script = 'apps/cli/src/main.js'): Promise<Ended> {
  return new Child(script, argv).ended;
}
