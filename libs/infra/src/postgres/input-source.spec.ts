import { instrumentForFeed, minuteQuoteVolume } from '@moon/domain';
import { inputId, validateEvent, type AnyEvent } from '@moon/events';
import type { InputSource, LogRow } from '@moon/kernel';
import { readerWith, TestFiles } from '../market-files/testing/read-files';
import { startTestServer, type TestServer } from '../testing/postgres';
import type { InputQuery } from './input-source';
import { RunRegistry, type Run, type RunMode } from './runs';

const readFiles = readerWith(instrumentForFeed, minuteQuoteVolume);
const T = Date.UTC(2022, 0, 31, 23, 30);
const MINUTE = 60_000;
const BTC = { id: 'BTCUSDT.BINANCE-SPOT', token: 'BTC' };

let test: TestServer;
let registry: RunRegistry;
let count = 0;
const files = new TestFiles();

beforeAll(async () => {
  test = await startTestServer();
  registry = await RunRegistry.open(test.access);
}, 60_000);
afterAll(async () => {
  files.remove();
  await registry.close();
  await test.stop();
});

const bar = (minute: number, symbol = 'BTCUSDT', close = '100.25'): string =>
  `${T + minute * MINUTE},${symbol},100,110.5,90,${close},3.125`;
const candles = (...rows: string[]): string =>
  files.write(`bars-${(count += 1)}.csv`, ['timestamp_ms,symbol,open,high,low,close,volume', ...rows, ''].join('\n'));

async function logOf(mode: RunMode, ...batches: (readonly AnyEvent[])[]): Promise<Run> {
  const { run } = await registry.openRun({ mode, ...(mode === 'imported' && { name: `log-${(count += 1)}` }) });
  const store = registry.openStore(run);
  try {
    let seq = await store.lastSeq();
    for (const batch of batches) await store.appendBatch(batch.map((event): LogRow => ({ seq: (seq += 1), event })));
  } finally {
    await store.close();
  }
  return run;
}

async function drain(source: InputSource): Promise<AnyEvent[]> {
  const events: AnyEvent[] = [];
  for (let batch = await source.nextBatch(); batch; batch = await source.nextBatch()) events.push(...batch);
  return events;
}

async function inputs(run: Run, query: Omit<InputQuery, 'order'> = {}): Promise<AnyEvent[]> {
  const source = await registry.openInputs(run, query);
  try {
    return await drain(source);
  } finally {
    await source.close();
  }
}

const json = (events: readonly AnyEvent[]): string[] => events.map((event) => JSON.stringify(event));

describe('market inputs of a stored run', () => {
  it('[US3-1] are, event for event, those that the import of the files stored', async () => {
    const trades = files.write(
      'trades.csv',
      `timestamp_ms,symbol,price,size,side\n${T + 5},BTCUSDT,100.5,2,buy\n${T + 5},BTCUSDT,100.5,2,buy\n`,
    );
    const posts = files.write(
      'posts.csv',
      `timestamp_ms,symbol,score,text_or_source\n${T + 9},BTC,1,"reddit:an ""é"" \\"\n`,
    );
    const { events } = await readFiles([
      candles(bar(0), bar(0, 'ETHUSDT'), bar(1), bar(40, 'BTCUSDT', '101')),
      trades,
      posts,
    ]);
    const stored = await inputs(await logOf('imported', events.slice(0, 3), events.slice(3)));
    expect(stored).toHaveLength(11);
    expect(json(stored)).toEqual(json(events));
    for (const event of stored) expect(validateEvent(event)).toBe(event);
  });

  it('[US3-1] come in the order of rule 1, also when a second import fell among the first', async () => {
    const [one, other] = [candles(bar(0), bar(1), bar(2)), candles(bar(0, 'ETHUSDT'), bar(1, 'ETHUSDT'))];
    const together = await readFiles([one, other]);
    const [first, second] = [await readFiles([one]), await readFiles([other])];
    const stored = await inputs(await logOf('imported', first.events, second.events));
    const told = (events: readonly AnyEvent[]) =>
      events.map(({ type, key, occurredAt }) => `${occurredAt} ${type} ${key}`);
    expect(told(stored)).toEqual(told(together.events));
  });

  it('of a live run come as they arrived, and nothing comes that followed from them', async () => {
    const { events } = await readFiles([candles(bar(0), bar(1))]);
    const [opened, closed, next] = events as [AnyEvent, AnyEvent, AnyEvent, AnyEvent];
    const followed = { ...JSON.parse(JSON.stringify(next)), causationId: opened.id } as AnyEvent;
    const stored = await inputs(await logOf('live', [closed, opened, followed]));
    expect(json(stored)).toEqual(json([closed, opened]));
  });

  it('keep to a range and to instruments, and say when they begin', async () => {
    const { events } = await readFiles([candles(bar(0), bar(0, 'ETHUSDT'), bar(1), bar(1, 'ETHUSDT'), bar(2), bar(3))]);
    const run = await logOf('imported', events);
    const query = { from: T + MINUTE, to: T + 2 * MINUTE, instruments: [BTC] };
    expect(json(await inputs(run, query))).toEqual(
      json(events.filter(({ key, occurredAt }) => key === 'BTC' && occurredAt >= query.from && occurredAt < query.to)),
    );
    const source = await registry.openInputs(run, query);
    expect(source.startsAt).toBe(T + MINUTE);
    await source.close();
    expect(await inputs(run, { from: T + 60 * MINUTE })).toEqual([]);
    expect(await inputs(run, { instruments: [{ id: 'BTCUSDT.BINANCE-USDM', token: 'BTC' }] })).toEqual([]);
    await expect(registry.openInputs(run, { from: 0.5 })).rejects.toThrow(
      '0.5 is no instant; give whole epoch milliseconds.',
    );
  });

  it('[US3-1] are known by one hash: the same for the same inputs, another one when one differs', async () => {
    const hash = async (...rows: string[]): Promise<string> => {
      const source = await registry.openInputs(await logOf('imported', (await readFiles([candles(...rows)])).events));
      await drain(source);
      const { fingerprint } = source;
      await source.close();
      return fingerprint;
    };
    const [one, same, other] = [
      await hash(bar(0), bar(1)),
      await hash(bar(0), bar(1)),
      await hash(bar(0), bar(1, 'BTCUSDT', '99')),
    ];
    expect(same).toBe(one);
    expect(other).not.toBe(one);
  });

  it('make the server wait while they are not used, and can be left before their end', async () => {
    const rows = Array.from({ length: 15_000 }, (_, minute) => bar(minute));
    const { events } = await readFiles([candles(...rows)]);
    const batches = Array.from({ length: 10 }, (_, index) => events.slice(index * 3_000, (index + 1) * 3_000));
    const run = await logOf('imported', ...batches);
    expect(json(await inputs(run))).toEqual(json(events));
    const left = await registry.openInputs(run);
    expect((await left.nextBatch())?.length).toBeGreaterThan(0);
    await left.close();
    expect(await left.nextBatch()).toBeNull();
  }, 60_000);

  it('reads data that are written in another way than bars usually are', async () => {
    const odd = {
      token: 'BTC',
      event_type: 'bar.opened',
      instrument: BTC.id,
      intervalMs: MINUTE,
      open: 1e-7,
      timestamp: T,
    };
    const event = (data: object, ordinal: number): AnyEvent => {
      const id = inputId({ source: 'test', kind: 'bar.opened', instrument: BTC.id, venueTime: T, values: [], ordinal });
      return {
        ...{ id, type: 'bar.opened', schemaVersion: 1, source: 'feed/recorded', key: 'BTC', occurredAt: T },
        ...{ correlationId: id, causationId: null, data, headers: { mode: 'recorded' } },
      } as unknown as AnyEvent;
    };
    const usual = {
      event_type: 'bar.opened',
      token: 'BTC',
      instrument: BTC.id,
      intervalMs: MINUTE,
      open: 1.5,
      timestamp: T,
    };
    const given = [usual, odd, { ...usual, derived: true }, { ...usual, open: 1e-7 }, usual].map(event);
    expect(json(await inputs(await logOf('imported', given)))).toEqual(json(given));
  });
});
