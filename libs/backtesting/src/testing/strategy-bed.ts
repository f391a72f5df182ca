import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Value } from '@sinclair/typebox/value';
import { inputId, type AnyEvent } from '@moon/events';
import { platformConfigSchema, type PlatformConfig } from '@moon/domain';
import { sourceOf, UnguardedFailure } from '@moon/kernel';
import { replay, type ReplayOptions, type ReplayResult } from '../replay/replay';
import { loadStrategies, type Strategy, type StrategyEntry } from '../strategies';

const START = Date.UTC(2022, 0, 1);
const MINUTE = 60_000;
export const INSTRUMENT = 'BTCUSDT.BINANCE-SPOT';

/** A folder outside the repository with a user's modules in it; `remove` takes it away. */
export class UserFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'moon-user-'));

  /** @returns the path of the module */
  write(name: string, code: string): string {
    const path = join(this.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, code);
    return path;
  }

  load(...entries: readonly StrategyEntry[]): Strategy[] {
    return loadStrategies(entries, this.path);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Only the strategies take part; one of them is enough, and it may hold one whole coin either way. */
export function strategyPlatform(part: Record<string, unknown> = {}): PlatformConfig {
  const whole = Value.Default(platformConfigSchema, {
    switchedOff: ['trading', 'chart', 'sentiment', 'funding', 'liquidation', 'correlation'].map(
      (name) => `agent/${name}`,
    ),
    consensus: { minimumAgents: 1, cooldownMs: 0 },
    portfolios: [
      {
        name: 'main',
        accountModel: 'cash-short-credit',
        settlementAsset: 'USDT',
        deposit: '1000000',
        instruments: [{ instrument: INSTRUMENT, leverage: 1 }],
        sizing: { mode: 'target', quantity: '1' },
        limits: { duplicate_order: 0 },
      },
    ],
    ...part,
  });
  return whole as PlatformConfig;
}

/** Bars of a price that swings between 90 and 110 once an hour, with a made-up unevenness that repeats exactly. */
export function swingingBars(minutes: number): AnyEvent[] {
  const close = (index: number): number =>
    Math.round((100 + 10 * Math.sin((2 * Math.PI * index) / 60) + ((index * 7) % 13) / 10) * 100) / 100;
  return Array.from({ length: minutes }, (_, index) => {
    const openedAt = START + index * MINUTE;
    const [open, last] = [close(index - 1), close(index)];
    const about = { token: 'BTC', instrument: INSTRUMENT, intervalMs: MINUTE };
    const [high, low] = [Math.max(open, last), Math.min(open, last)];
    const timestamp = openedAt + MINUTE;
    return [
      market('bar.opened', openedAt, { ...about, open, timestamp: openedAt }),
      market('bar.closed', timestamp, { ...about, open, high, low, close: last, volume: 10, openedAt, timestamp }),
    ];
  })
    .flat()
    .sort((a, b) => a.occurredAt - b.occurredAt || (a.type === 'bar.closed' ? -1 : 1));
}

function market(type: 'bar.opened' | 'bar.closed', occurredAt: number, data: object): AnyEvent {
  const id = inputId({
    source: 'bed',
    kind: type,
    instrument: INSTRUMENT,
    venueTime: occurredAt,
    values: [JSON.stringify(data)],
  });
  return {
    ...{ id, type, schemaVersion: 1, source: 'feed/bed', key: 'BTC', occurredAt, correlationId: id, causationId: null },
    ...{ headers: { mode: 'recorded' }, data: { event_type: type, ...data } },
  } as unknown as AnyEvent;
}

/** What a replay of these bars takes. */
export function bedOptions(bars: readonly AnyEvent[], strategies: readonly Strategy[]): ReplayOptions {
  return {
    platform: strategyPlatform(),
    source: sourceOf(bars),
    feedInstruments: [INSTRUMENT],
    startsAt: START,
    modelLatency: { minMs: 0, maxMs: 0 },
    orderTimeToLiveMs: 600_000,
    strategies,
  };
}

export interface Played {
  result: ReplayResult;
  events: AnyEvent[];
}

/** Replays bars with strategies as a backtest does: fast, and once more with a way back when one throws. */
export async function playBars(
  bars: readonly AnyEvent[],
  load: () => Strategy[],
  part: Partial<ReplayOptions> = {},
): Promise<Played> {
  const play = async (isGuarded: boolean): Promise<Played> => {
    const events: AnyEvent[] = [];
    const onEvent = (event: AnyEvent): void => void events.push(event);
    return { result: await replay({ ...bedOptions(bars, load()), isGuarded, onEvent, ...part }), events };
  };
  try {
    return await play(false);
  } catch (error) {
    if (error instanceof UnguardedFailure && part.isGuarded === undefined) return play(true);
    throw error;
  }
}

/**
 * A strategy module: buys and sells in turn every `every` bars. `before` is code that stands before its handler, `inside` runs
 * with every bar, where `event`, `state`, `out`, `name` and `state.bars` (its number) are known.
 */
export function strategyCode({ before = '', inside = '', every = 10 } = {}): string {
  return `${before}
exports.createAgents = (config, { name }) => [{
  name: 'agent/' + name, role: 'agent', partitionedBy: 'token', consumes: ['bar.closed'],
  initialState: () => ({ bars: 0 }),
  handle(event, state, out) {
    state.bars += 1;
    ${inside}
    if (state.bars % ${every} !== 0) return;
    const action = (state.bars / ${every}) % 2 === 1 ? 'BUY' : 'SELL';
    out.emit('signal.generated', { token: out.key, action, score: 100, confidence: 1, agent: name, reason: 'bar ' + state.bars, timestamp: out.now });
  },
}];
`;
}
