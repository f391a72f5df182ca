import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { derivedId, eventId, inputId, uuidv5 } from './ids';

const trade = {
  source: 'hyperliquid',
  kind: 'trade',
  instrument: 'BTC.HYPERLIQUID',
  venueTime: 1729950000000,
  values: [43250.5, 0.25, 'buy'],
} as const;

describe('derived ids', () => {
  it('are UUIDv5 as RFC 9562 has them', () => {
    const dns = Buffer.from('6ba7b8109dad11d180b400c04fd430c8', 'hex');
    expect(uuidv5(dns, 'www.example.com')).toBe('2ed6657d-e927-568b-95e1-2665a8aea6a2');
  });

  it('are what the crypto library makes of them, whatever the name', () => {
    const namespace = Buffer.from('6ba7b8109dad11d180b400c04fd430c8', 'hex');
    const name = fc.oneof(
      fc.string({ unit: 'binary-ascii', maxLength: 300 }),
      fc.string({ unit: 'binary', maxLength: 100 }),
      fc.integer({ min: 0, max: 200 }).map((length) => 'x'.repeat(length)),
      fc.integer({ min: 1_000, max: 1_100 }).map((length) => 'y'.repeat(length)),
    );
    fc.assert(
      fc.property(name, (given) => {
        const digest = createHash('sha1').update(namespace).update(given, 'utf8').digest('hex');
        const variant = ((parseInt(digest.slice(16, 18), 16) & 0x3f) | 0x80).toString(16);
        const parts = [digest.slice(0, 8), digest.slice(8, 12), `5${digest.slice(13, 16)}`];
        expect(uuidv5(namespace, given)).toBe(
          [...parts, variant + digest.slice(18, 20), digest.slice(20, 32)].join('-'),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('of lists are those of their JSON text, whatever stands in them', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.string({ minLength: 900, maxLength: 1_100 }));
    const scalar = fc.oneof(text, fc.double(), fc.integer(), fc.boolean(), fc.constant(null));
    const namespaces = {
      input: Buffer.from('6e0b1f3ad8c25f0c9b1c5a2a4d7e9002', 'hex'),
      name: Buffer.from('6e0b1f3ad8c25f0c9b1c5a2a4d7e9003', 'hex'),
    };
    fc.assert(
      fc.property(text, text, fc.array(scalar, { maxLength: 8 }), fc.array(text), (source, kind, values, names) => {
        const input = { source, kind, instrument: 'ETH.HYPERLIQUID', venueTime: 1729950000000, values, ordinal: 3 };
        const written = [source, kind, input.instrument, input.venueTime, 3, ...values];
        expect(inputId(input)).toBe(uuidv5(namespaces.input, JSON.stringify(written)));
        expect(eventId(kind, ...names)).toBe(uuidv5(namespaces.name, JSON.stringify([kind, ...names])));
      }),
      { numRuns: 300 },
    );
  });

  it('are the same for the same cause, handler and ordinal, and differ otherwise', () => {
    const cause = inputId(trade);
    expect(derivedId(cause, 'agent/risk', 0)).toBe(derivedId(cause, 'agent/risk', 0));
    const others = [derivedId(cause, 'agent/risk', 1), derivedId(cause, 'agent/chart', 0), derivedId(cause, 'a', 10)];
    expect(new Set([derivedId(cause, 'agent/risk', 0), ...others]).size).toBe(4);
  });

  it('of inputs come from what the input is, not from when it was read', () => {
    expect(inputId({ ...trade })).toBe(inputId({ ...trade, ordinal: 0 }));
    const variants = [
      { ...trade, ordinal: 1 },
      { ...trade, source: 'binance' },
      { ...trade, kind: 'quote' },
      { ...trade, instrument: 'ETH.HYPERLIQUID' },
      { ...trade, venueTime: trade.venueTime + 1 },
      { ...trade, values: [43250.5, 0.25, 'sell'] },
      { ...trade, values: ['43250.5', 0.25, 'buy'] },
    ];
    expect(new Set([trade, ...variants].map((identity) => inputId(identity))).size).toBe(8);
  });

  it('never change: what is stored was made with them', () => {
    expect(inputId(trade)).toBe('bce789bd-b648-5dfa-9623-af30ae43ae53');
    expect(derivedId('2ed6657d-e927-568b-95e1-2665a8aea6a2', 'agent/risk', 3)).toBe(
      '56f63ac9-88ba-535e-8ee5-4ee69fc57cb2',
    );
    expect(eventId('order', '2ed6657d-e927-568b-95e1-2665a8aea6a2', 'main')).toBe(
      '25ab2853-f6ec-5d9a-862f-e5550a294fba',
    );
  });
});
