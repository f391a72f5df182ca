import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CATALOG, isEventType } from './catalog';
import type { EventType } from './envelope';
import { exampleEvent } from './testing/fixtures';
import { parseEvent } from './validation/validate';

type Example = Record<string, unknown>;

/** The JSON structures that the design document shows, by event type. */
function documentedStructures(): Map<string, Example> {
  const text = readFileSync(join(__dirname, '../../../docs/system-design-document.md'), 'utf8');
  const structures = new Map<string, Example>();
  for (const [, json] of text.matchAll(/Structure:\s*(\{[\s\S]*?\n {2}\})/g)) {
    const example = JSON.parse(json!.replace('{...}', '{}')) as Example;
    structures.set(String(example.event_type), example);
  }
  return structures;
}

const documented = documentedStructures();

const asText = (type: string, data: Example): string => JSON.stringify({ ...exampleEvent(type), data });

/** Given the document's structure / when an event with it and our further fields is read / then its fields are there. */
function expectDocumentedFields(type: EventType): void {
  const structure = documented.get(type)!;
  const own = exampleEvent(type).data as unknown as Example;
  // An order id of the document is no UUID; ours is one, so that it can be derived (rule 3).
  const { order_id: _orderId, ...fields } = structure;
  const read = parseEvent(asText(type, { ...own, ...fields })).data as unknown as Example;
  expect(read).toMatchObject(fields);
  for (const field of Object.keys(structure)) {
    expect(typeof read[field]).toBe(typeof structure[field]);
    const { [field]: _left, ...rest } = own;
    expect(() => parseEvent(asText(type, rest))).toThrow(/missing_field/);
  }
}

function expectKnown(types: readonly string[], category: RegExp): void {
  for (const type of types) {
    if (!isEventType(type)) throw new Error(`${type} is not in the catalog.`);
    expect(CATALOG[type].category).toMatch(category);
    expect(parseEvent(JSON.stringify(exampleEvent(type))).type).toBe(type);
    if (documented.has(type)) expectDocumentedFields(type);
  }
}

describe('the taxonomy of the design document', () => {
  it('finds every structure that the document shows', () => {
    expect([...documented.keys()].sort()).toEqual([
      'liquidation.event',
      'position.closed',
      'price.tick',
      'risk.alert',
      'sentiment.update',
      'signal.generated',
      'state.changed',
      'state.snapshot',
      'trade.consensus_approved',
      'trade.executed',
      'trade.placed',
    ]);
  });

  it("[EVT-1] takes market events with the document's fields, and none without them", () => {
    expectKnown(['price.tick', 'liquidation.event', 'sentiment.update', 'funding.update'], /^market$/);
  });

  it("[EVT-2] takes processing events with the document's fields, and none without them", () => {
    const signals = ['signal.generated', 'signal.error', 'signal.consensus_failed', 'trade.consensus_approved'];
    const risk = ['risk.ok', 'risk.alert', 'risk.critical', 'risk.cascade_detected', 'risk.constraint_violation'];
    expectKnown([...signals, ...risk, 'correlation.detected', 'agent.error', 'agent.lagging'], /^processing$/);
  });

  it("[EVT-3] takes action events with the document's fields; a closed position has its final P&L and duration", () => {
    const trades = ['trade.placed', 'trade.executed', 'trade.rejected', 'trade.close', 'trade.force_close'];
    expectKnown([...trades, 'position.closed'], /^action$/);
    expect(documented.get('position.closed')).toMatchObject({ pnl_usd: 1155.45, duration_seconds: 3600 });
  });

  it("takes state events with the document's fields, and none without them", () => {
    expectKnown(['state.snapshot', 'state.changed'], /^state$/);
  });

  it('[EVT-5] takes system events, marked as operational', () => {
    expectKnown(['system.startup_failure', 'metric.sla_violation'], /^system$/);
    expect(CATALOG['system.startup_failure'].operational).toBe(true);
    expect(CATALOG['metric.sla_violation'].operational).toBe(true);
  });

  it('has what the platform needs beyond the document', () => {
    const market = ['bar.opened', 'bar.closed', 'market.liquidation', 'market.sentiment', 'instrument.listed'];
    expectKnown(market, /^market$/);
    expectKnown(['consensus.opened', 'inference.requested', 'inference.completed'], /^processing$/);
    expectKnown(['order.requested', 'order.cancel_requested', 'trade.cancelled', 'trade.expired'], /^action$/);
    expectKnown(['deadline.reached', 'config.activated'], /^system$/);
    expectKnown(['halt.raised', 'halt.lifted', 'portfolio.opened', 'portfolio.fill_booked'], /^portfolio$/);
  });
});
