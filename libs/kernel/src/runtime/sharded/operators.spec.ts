import { eventId, type AnyEvent } from '@moon/events';
import type { Handler } from '@moon/domain';
import type { EngineSnapshot } from '../../core/checkpoint';
import { Engine } from '../../core/engine';
import { replayArguments, type LetterAddress } from '../../core/operator-desk';
import { VolatileLog } from '../../log/log-writer';
import { turns } from '../../testing/live-bed';
import { ShardBed, type ShardMember } from '../../testing/shard-bed';
import { T0, tick } from '../../testing/venue-desk';

const BTC = 'BTC.HYPERLIQUID';
const AUDIT = 'audit@group#0';
const POISON = 103;

/** Whether the code still has its defect; the next version has not. */
let isBroken = true;

const trailing = (name: string, role: 'agent' | 'saga'): Handler<{ trail: number[] }> => ({
  ...{ name, role, partitionedBy: 'token', consumes: ['price.tick'] },
  initialState: () => ({ trail: [] }),
  handle(event, state, out) {
    if (event.type !== 'price.tick') return;
    const { price, token, timestamp } = event.data;
    if (isBroken && price === POISON) throw new Error('This price is too much — für mich 🌒.');
    state.trail.push(price);
    const reason = `${name} saw ${price}`;
    out.emit('signal.error', { token, agent: name, reason: 'refused', detail: reason, timestamp });
  },
});

const handlers = [trailing('agent/trail', 'agent'), trailing('saga/trail', 'saga')];

const command = (args: AnyEvent['data'] | object, at = 900_000, name = 'replay_dead_letter'): AnyEvent => {
  const id = eventId('operators-spec', name, JSON.stringify(args), String(at));
  const data = {
    event_type: 'operator.command',
    command: name,
    arguments: args,
    requestedBy: 'ann',
    timestamp: T0 + at,
  };
  return {
    ...{ id, type: 'operator.command', schemaVersion: 1, source: 'operator', key: 'system', occurredAt: T0 + at },
    ...{ correlationId: id, causationId: null, data },
  } as unknown as AnyEvent;
};

describe('operators’ commands in a shard', () => {
  let bed: ShardBed;
  let poison: AnyEvent;

  const of = (role: 'agent' | 'saga', more: Partial<LetterAddress> = {}): LetterAddress => {
    const failure = 'of the price';
    return {
      shard: 'group#0',
      handler: `${role}/trail`,
      handlerKey: 'BTC',
      eventId: poison.id,
      seq: 7,
      failure,
      ...more,
    };
  };
  const trail = (member: ShardMember, role: 'agent' | 'saga'): number[] | undefined =>
    member.shard.engine.host.state<{ trail: number[] }>(`${role}/trail`, 'BTC')?.trail;
  const audited = (...types: string[]): AnyEvent[] =>
    (bed.database.streams.get(AUDIT) ?? []).map(({ event }) => event).filter(({ type }) => types.includes(type));
  const say = async (...events: AnyEvent[]): Promise<void> => {
    for (const event of events) bed.bus.append(event, event.type === 'operator.command' ? 'operators' : null);
    await turns();
  };

  /** A member that is stopped in good order at the poisoned price, and one whose code is mended. */
  async function mended(): Promise<ShardMember> {
    const first = await bed.member();
    for (let second = 0; second < 6; second += 1) {
      const event = tick(BTC, second * 1_000, 100 + second);
      if (second === 3) poison = event;
      await say(event);
    }
    expect([trail(first, 'agent'), trail(first, 'saga')]).toEqual([
      [100, 101, 102, 104, 105],
      [100, 101, 102],
    ]);
    await first.group.stop();
    isBroken = false;
    return bed.member();
  }

  beforeEach(() => {
    isBroken = true;
    bed = new ShardBed({ handlers, keyed: ['price.ticks'], broadcast: ['audit.events'] });
  });

  it('[AGT-3] a skipped event is delivered again, once, however often the command comes', async () => {
    const member = await mended();
    const asked = command(replayArguments(of('agent'), poison));
    await say(asked, asked);
    expect(trail(member, 'agent')).toEqual([100, 101, 102, 104, 105, 103]);
    const [replayed, ...others] = audited('event.replayed');
    expect(others).toEqual([]);
    expect(replayed).toMatchObject({ causationId: asked.id, data: { requestedBy: 'ann', replayedEventId: poison.id } });
    await say(asked);
    expect(trail(member, 'agent')).toHaveLength(6);
    expect(member.failures).toEqual([]);
  });

  it('[AGT-3] two operators who ask for one dead letter have it delivered once, also over a restart', async () => {
    const second = await mended();
    await say(command(replayArguments(of('agent'), poison), 1));
    await second.group.checkpoint();
    second.kill();
    const third = await bed.member();
    const late = command(replayArguments(of('agent'), poison), 2);
    await say(late);
    expect(trail(third, 'agent')).toEqual([100, 101, 102, 104, 105, 103]);
    expect(audited('event.replayed')).toHaveLength(1);
    expect(bed.published('agent.error').filter(({ causationId }) => causationId === late.id)).toMatchObject([
      { data: { error: expect.stringMatching(/again already/) as string } },
    ]);
    await say(command(replayArguments(of('agent', { failure: 'of another time' }), poison), 3));
    expect(audited('event.replayed')).toHaveLength(2);
    expect(third.failures).toEqual([]);
  });

  it('[AGT-3] a parked key goes on with what waited, in its order', async () => {
    const member = await mended();
    const asked = command(replayArguments(of('saga'), null));
    await say(asked, asked);
    expect(trail(member, 'saga')).toEqual([100, 101, 102, 103, 104, 105]);
    expect(audited('key.unparked')).toMatchObject([{ causationId: asked.id, data: { eventId: poison.id } }]);
    expect(member.shard.engine.parking.isEmpty).toBe(true);
  });

  it('nothing is carried out twice after a kill, or after a checkpoint and a relay that publishes again', async () => {
    const second = await mended();
    const asked = [command(replayArguments(of('agent'), poison)), command(replayArguments(of('saga'), null))];
    await say(...asked);
    const before = bed.database.appended.map(({ event }) => event.id);
    second.kill();
    const third = await bed.member();
    expect(third.failures).toEqual([]);
    expect([trail(third, 'agent'), trail(third, 'saga')]).toEqual([trail(second, 'agent'), trail(second, 'saga')]);
    await third.group.checkpoint();
    third.kill();
    const fourth = await bed.member();
    await say(...asked);
    expect(trail(fourth, 'agent')).toEqual(trail(second, 'agent'));
    expect(fourth.failures).toEqual([]);
    expect(bed.database.appended.map(({ event }) => event.id)).toEqual(before);
  });

  it('knows a command over a restart when more inputs followed it than an engine remembers', () => {
    isBroken = false;
    const engine = (): Engine => new Engine({ handlers: [], shard: 'group#0', log: new VolatileLog(() => undefined) });
    const asked = command({ scope: 'global', reason: 'x' }, 1, 'halt');
    const first = engine();
    expect(first.input(asked)).toBe(true);
    for (let at = 0; at < 25_000; at += 1) first.input(tick(BTC, at, 100));
    first.drain();
    const second = engine();
    second.restore(JSON.parse(JSON.stringify(first.snapshot())) as EngineSnapshot);
    expect(second.input(tick(BTC, 0, 100))).toBe(true);
    expect(second.input(asked)).toBe(false);
  });

  it.each([
    ['a key that does not stand still', () => replayArguments(of('saga', { handlerKey: 'ETH' }), null), /stand still/],
    ['another event', () => replayArguments(of('saga', { eventId: eventId('other') }), null), /stand still/],
    ['a handler that it has not', () => replayArguments(of('agent', { handler: 'agent/none' }), poison), /no agent/],
    ['the wrong event', () => replayArguments(of('agent', { eventId: eventId('other') }), poison), /carries event/],
    ['no event', () => ({ ...of('agent') }), /does not carry the event/],
    ['half an event', () => ({ ...of('agent'), event: ['{"id":'] }), /JSON/],
    ['no address', () => ({ shard: 'group#0', parked: true }), /does not name/],
  ])('refuses %s with one sentence, and lives on', async (_what, args, message) => {
    const member = await mended();
    const asked = command(args());
    await say(asked, tick(BTC, 9_000, 109));
    expect(bed.published('agent.error').filter(({ causationId }) => causationId === asked.id)).toMatchObject([
      { data: { agent: 'operators', error: expect.stringMatching(message) as string } },
    ]);
    expect(audited('event.replayed', 'key.unparked')).toEqual([]);
    expect(trail(member, 'agent')?.at(-1)).toBe(109);
    expect(member.failures).toEqual([]);
  });

  it('leaves alone what is meant for another shard', async () => {
    const member = await mended();
    const before = member.shard.engine.lastSeq;
    await say(
      command(replayArguments(of('saga', { shard: 'group#1' }), null)),
      command({ scope: 'global' }, 1, 'halt'),
    );
    expect(member.shard.engine.lastSeq).toBe(before);
  });

  it('carries an event of any length and any letters', () => {
    const long = { ...tick(BTC, 0, 1), data: { text: '🌒ä\u0000"\\'.repeat(2_000) } } as unknown as AnyEvent;
    const { event } = replayArguments({ ...of('agent', { eventId: eventId('x') }) }, long) as { event: string[] };
    expect(event.length).toBeGreaterThan(10);
    expect(JSON.parse(event.join(''))).toEqual(long);
    const larger = { ...long, data: { text: 'x'.repeat(250_000) } } as unknown as AnyEvent;
    expect(() => replayArguments(of('agent', { eventId: eventId('x') }), larger)).toThrow(/at most 250000/);
  });
});
