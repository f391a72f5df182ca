import type { HandlerVerdict } from '@moon/backtesting';
import { table } from '../../output/table';
import { clock, count } from '../../output/text';
import type { CheckResult } from './protocol';

const WORDS: Readonly<Record<HandlerVerdict['verdict'], string>> = {
  clean: 'clean',
  peeks: 'PEEKS',
  unmoved: 'UNMOVED',
  silent: 'silent',
};

/** A check as lines for a person: a verdict for each handler, and how each bad one was found. */
export function renderCheck({ handlers, cuts, failures }: CheckResult): string[] {
  const rows = handlers.map(({ handler, verdict, decisions }) => [handler, WORDS[verdict], count(decisions)]);
  const lines = [...table([{ title: 'handler' }, { title: 'verdict' }, { title: 'decisions', right: true }], rows)];
  for (const { handler, verdict, found } of handlers) {
    if (verdict === 'unmoved')
      lines.push(
        `${handler} decides the same when every price is another one: it does not decide by the data of the run.`,
      );
    if (verdict !== 'peeks' || found === null) continue;
    const how = found.change === 'truncate' ? 'the data end' : 'prices are others';
    lines.push(
      `${handler} decided differently at ${clock(found.at)} when ${how} after ${clock(found.cut)}:`,
      `  on all data:     ${found.whole ? `${found.whole.type} ${found.whole.data}` : 'nothing'}`,
      `  without them:    ${found.changed ? `${found.changed.type} ${found.changed.data}` : 'nothing'}`,
    );
  }
  for (const { handler, count: failed, first } of failures)
    lines.push(`${handler} failed ${count(failed)} times, first at ${clock(first.at)}: ${first.message}`);
  lines.push(`${cuts.length} cuts, each played with the data ending there and with other prices from there on.`);
  return lines;
}
