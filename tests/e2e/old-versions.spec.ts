import { eventId, type AnyEvent } from '@moon/events';
import { PostgresEventStore } from '@moon/infra';
import { replay } from '@moon/backtesting';
import { sourceOf } from '@moon/kernel';
import { startTestServer, type TestServer } from '../../libs/infra/src/testing/postgres';
import { UserFolder } from '../support/user-folder';
import { platformConfig, recordedInputs, replayOptions } from '../support/recorded';

jest.setTimeout(90_000);

/** An outside analyst's opinions, recorded as inputs among the bars. */
const ANALYST = 'outside_analyst';

describe('a stream that was recorded with schema version 1', () => {
  const folder = new UserFolder();
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
    folder.bars(60);
  }, 60_000);
  afterAll(async () => {
    folder.remove();
    await server.stop();
  });

  const signal = (at: number, action: 'BUY' | 'SELL', version: 1 | 2): AnyEvent => {
    const id = eventId('analyst', String(at));
    const said = { event_type: 'signal.generated', token: 'BTC', action, score: 90, confidence: 0.9, agent: ANALYST };
    return {
      ...{ id, type: 'signal.generated', schemaVersion: version, source: 'feed/analyst', key: 'BTC', occurredAt: at },
      ...{ correlationId: id, causationId: null, headers: { mode: 'recorded' } },
      data: version === 1 ? said : { ...said, reason: '', timestamp: at },
    } as unknown as AnyEvent;
  };

  /** Stores bars and signals as they were recorded, reads them back, and replays what the store gives. */
  async function replayed(version: 1 | 2) {
    const inputs = await recordedInputs([`${folder.path}/BTCUSDT-1m.csv`]);
    const recorded: AnyEvent[] = [];
    for (let batch = await inputs.nextBatch(); batch; batch = await inputs.nextBatch()) {
      for (const event of batch) {
        recorded.push(event);
        const bar = Math.round((event.occurredAt - inputs.startsAt) / 60_000);
        if (event.type === 'bar.closed' && bar % 10 === 0)
          recorded.push(signal(event.occurredAt, bar % 20 ? 'BUY' : 'SELL', version));
      }
    }
    const store = new PostgresEventStore(server.access.app, await server.runDatabase());
    await store.appendBatch(recorded.map((event, index) => ({ seq: index + 1, event })));
    const read: AnyEvent[] = [];
    for await (const { event } of store.readLog(0)) read.push(event);
    await store.close();
    const platform = platformConfig({
      switchedOff: ['trading', 'chart', 'sentiment', 'funding', 'liquidation', 'correlation'].map(
        (name) => `agent/${name}`,
      ),
      consensus: { voters: [{ agent: ANALYST, weight: 1 }], minimumAgents: 1, cooldownMs: 0 },
      portfolios: [
        {
          ...{ name: 'main', accountModel: 'cash-short-credit', settlementAsset: 'USDT', deposit: '1000000' },
          ...{ instruments: [{ instrument: 'BTCUSDT.BINANCE-SPOT', leverage: 1 }], limits: { duplicate_order: 0 } },
        },
      ],
    });
    const log: string[] = [];
    const onEvent = (event: AnyEvent): void => void log.push(JSON.stringify(event));
    const result = await replay({ ...replayOptions(inputs, platform), source: sourceOf(read), onEvent });
    return { result, log };
  }

  it('[US3-1] replays under version 2 through the upcasters, to the very same events', async () => {
    const [old, current] = [await replayed(1), await replayed(2)];
    expect(old.result.fills).toBeGreaterThan(3);
    expect(old.log).toEqual(current.log);
    expect(old.result.eventHash).toBe(current.result.eventHash);
    expect(old.log.join('\n')).not.toContain(`"schemaVersion":1,"source":"feed/analyst"`);
  });
});
