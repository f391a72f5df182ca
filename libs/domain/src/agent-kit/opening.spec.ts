import { completeConfig } from './config';
import {
  decideOpening,
  newOpeningMemory,
  openingSchema,
  relaxOpening,
  rememberOpening,
  type OpeningConfig,
} from './opening';
import type { Opinion } from './view';

const config: OpeningConfig = completeConfig('test', openingSchema, {});
const MINUTE = 60_000;
const START = 1_700_000_000_000;
const buy = (confidence: number, score = 80): Opinion => ({ action: 'BUY', score, confidence });
const hold: Opinion = { action: 'HOLD', score: 50, confidence: 0.1 };

/** Opinions one minute apart; what was decided for each. */
function decisions(opinions: readonly Opinion[], stepMs = MINUTE): (string | null)[] {
  const memory = newOpeningMemory();
  return opinions.map((opinion, i) => {
    const now = START + i * stepMs;
    relaxOpening(opinion, memory, config);
    const cause = decideOpening(opinion, memory, now, config);
    if (cause !== null) rememberOpening(opinion, memory, now);
    return cause;
  });
}

describe('when an agent speaks without being asked', () => {
  it('given a view crosses into BUY, then it is signalled once, not at every bar', () => {
    expect(decisions([hold, buy(0.7), buy(0.7), buy(0.7)])).toEqual([null, 'crossed', null, null]);
  });

  it('given a view below the least score or confidence, then it is not signalled', () => {
    expect(decisions([buy(0.59), buy(0.7, 69.9)])).toEqual([null, null]);
  });

  it('given a view flickers within the rate limit, then the second crossing waits until the limit allows', () => {
    const views = [buy(0.7), hold, ...Array.from({ length: 14 }, () => buy(0.7))];
    const said = decisions(views);
    expect(said[0]).toBe('crossed');
    expect(said.indexOf('crossed', 1)).toBe(config.minIntervalMs / MINUTE);
  });

  it('given a standing view strengthens markedly after the rate limit, then it is signalled again', () => {
    const step = config.minIntervalMs;
    expect(decisions([buy(0.6), buy(0.7), buy(0.6 + 0.26)], step)).toEqual(['crossed', null, 'strengthened']);
  });

  it('given a strong view stands for an hour, then it is reaffirmed; a weak one is not', () => {
    const step = config.reaffirmMs / 2;
    expect(decisions([buy(0.8, 90), buy(0.8, 90), buy(0.8, 90)], step)).toEqual(['crossed', null, 'reaffirmed']);
    expect(decisions([buy(0.61, 75), buy(0.61, 75), buy(0.61, 75)], step)).toEqual(['crossed', null, null]);
  });

  it('given the view turns round, then the other side is a crossing', () => {
    const sell: Opinion = { action: 'SELL', score: 80, confidence: 0.7 };
    expect(decisions([buy(0.7), sell], config.minIntervalMs)).toEqual(['crossed', 'crossed']);
  });
});
