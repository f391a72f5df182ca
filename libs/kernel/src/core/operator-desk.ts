import { CATALOG, derivedId, isEventType, upcast, validateEmitted, type AnyEvent, type EventType } from '@moon/events';
import type { JsonObject } from '@moon/domain';
import type { Parking } from './parking';
import { RecentIds } from './recent-ids';

type OperatorCommand = Extract<AnyEvent, { type: 'operator.command' }>;

/** A dead letter, as the `operator.command` that has it delivered again names it. */
export interface LetterAddress {
  /** The shard that gave it up. */
  shard: string;
  handler: string;
  handlerKey: string;
  eventId: string;
  /** Position of the event in the log. */
  seq: number;
  /** The event that says so; after another failure it is another one. */
  failure: string;
}

/** Commands that are remembered at least: relays may publish again what they published long ago. */
const REMEMBERED = 1_000;
/** Characters of one piece of an event's text; a free-form text may have 4,000. */
const PIECE = 3_000;
/** Characters of an event that is carried at most: a broker takes messages of one MiB, quotes count twice. */
const LARGEST_EVENT = 250_000;

/**
 * Arguments of the command that has a dead letter delivered again: of a parked key its address alone, else with the event
 * itself, so that the journal which names the command holds all that a shard needs to handle it again.
 *
 * @throws RangeError the event is too large to be carried
 */
export function replayArguments(letter: LetterAddress, original: AnyEvent | null): JsonObject {
  if (original === null) return { ...letter, parked: true };
  // Plain ASCII: a piece then never ends in the middle of a character.
  const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  const text = JSON.stringify(original).replace(/[\u0080-\uffff]/g, escaped);
  if (text.length > LARGEST_EVENT)
    throw new RangeError(
      `Event ${original.id} has ${text.length} characters; at most ${LARGEST_EVENT} can be delivered again.`,
    );
  return { ...letter, event: text.match(new RegExp(`.{1,${PIECE}}`, 'g')) ?? [] };
}

/** The shard that a command about a dead letter is meant for; null for every other event. */
export function addresseeOf(event: AnyEvent): string | null {
  if (event.type !== 'operator.command' || event.data.command !== 'replay_dead_letter') return null;
  const { shard } = event.data.arguments;
  return typeof shard === 'string' ? shard : null;
}

/** What a command leads to: events that it causes, and the dead letter that one of them delivers again. */
interface DeskAnswer {
  events: AnyEvent[];
  original: AnyEvent | null;
}

interface DeskState {
  taken: string[];
  delivered: string[];
}

const NOTHING: DeskAnswer = { events: [], original: null };

/**
 * Where a shard takes operators' commands: each once, whatever comes twice, and those about its own dead letters it
 * carries out. A command that cannot be carried out is answered with an `agent.error` of the agent `operators`.
 */
export class OperatorDesk {
  readonly name = 'operators';
  private taken = new RecentIds(REMEMBERED);
  /** Failures whose event was delivered again, the oldest first; exactly as many as a checkpoint keeps. */
  private delivered = new Set<string>();

  constructor(
    private readonly shard: string,
    private readonly parking: Pick<Parking, 'get'>,
    /** Only agents go on without an event that they gave up. */
    private readonly isAgent: (name: string) => boolean,
    /** The engine's time, ms; a command may have waited for long. */
    private readonly now: () => number,
  ) {}

  /** False for one that was taken before, however long ago. */
  isNew({ id }: OperatorCommand): boolean {
    if (this.taken.has(id)) return false;
    this.taken.add(id);
    return true;
  }

  answer(command: OperatorCommand): DeskAnswer {
    if (addresseeOf(command) !== this.shard) return NOTHING;
    try {
      const letter = addressIn(command.data.arguments);
      return command.data.arguments.parked === true ? this.unpark(command, letter) : this.replay(command, letter);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      return { events: [this.refusal(command, error.message)], original: null };
    }
  }

  snapshot(): DeskState {
    return { taken: this.taken.newest(REMEMBERED), delivered: [...this.delivered] };
  }

  restore(state: unknown): void {
    this.taken = new RecentIds(REMEMBERED);
    const { taken, delivered } = state as DeskState;
    for (const id of taken) this.taken.add(id);
    this.delivered = new Set(delivered);
  }

  private unpark(command: OperatorCommand, { handler, handlerKey, eventId }: LetterAddress): DeskAnswer {
    const parked = this.parking.get(handler, handlerKey);
    if (parked?.eventId !== eventId) throw new Error(`${handler}/${handlerKey} does not stand still at ${eventId}.`);
    const data = { handler, handlerKey, eventId, seq: parked.seq };
    return { events: [this.caused(command, 'key.unparked', handlerKey, data)], original: null };
  }

  private replay(command: OperatorCommand, letter: LetterAddress): DeskAnswer {
    const { handler, handlerKey, eventId, seq, failure } = letter;
    if (this.delivered.has(failure))
      throw new Error(`${handler}/${handlerKey} was given ${eventId} again already: nothing is delivered twice.`);
    if (!this.isAgent(handler)) throw new Error(`Shard ${this.shard} has no agent "${handler}".`);
    const original = originalIn(command.data.arguments);
    if (original.id !== eventId) throw new Error(`The command carries event ${original.id} instead of ${eventId}.`);
    const { requestedBy } = command.data;
    const ids = { replayedEventId: eventId, replayedSeq: seq };
    const data = { handler, handlerKey, ...ids, requestedBy };
    this.delivered.add(failure);
    const [oldest = ''] = this.delivered;
    if (this.delivered.size > REMEMBERED) this.delivered.delete(oldest);
    return { events: [this.caused(command, 'event.replayed', handlerKey, data)], original };
  }

  private refusal(command: OperatorCommand, error: string): AnyEvent {
    const failed = { eventId: command.id, failedType: command.type, error: error.slice(0, 2_000), attempts: 1 };
    return this.caused(command, 'agent.error', 'system', { agent: 'operators', handlerKey: 'system', ...failed });
  }

  /** Its id is derived from the command's: handled again, it is the same event. */
  private caused(command: OperatorCommand, type: EventType, key: string, data: Record<string, unknown>): AnyEvent {
    const { correlationId, headers } = command;
    const occurredAt = Math.max(this.now(), command.occurredAt);
    const event = {
      ...{ id: derivedId(command.id, 'operators', 0), type, schemaVersion: CATALOG[type].schemaVersion },
      ...{ source: 'kernel', key, occurredAt, correlationId, causationId: command.id },
      ...{ data: { event_type: type, ...data, timestamp: occurredAt }, headers },
    } as unknown as AnyEvent;
    validateEmitted(event);
    return event;
  }
}

function addressIn({ shard, handler, handlerKey, eventId, seq, failure }: JsonObject): LetterAddress {
  const texts = [shard, handler, handlerKey, eventId, failure];
  if (texts.some((text) => typeof text !== 'string') || typeof seq !== 'number')
    throw new Error('The command does not name shard, handler, handlerKey, eventId, seq and failure of a dead letter.');
  return { shard, handler, handlerKey, eventId, seq, failure } as LetterAddress;
}

/** The carried event; one that an older version wrote is brought up to this one's. @throws EventRefused, Error */
function originalIn({ event: pieces }: JsonObject): AnyEvent {
  if (!Array.isArray(pieces)) throw new Error('The command does not carry the event that is to be delivered again.');
  const raw = JSON.parse(pieces.join('')) as AnyEvent;
  if (!isEventType(raw.type)) throw new Error(`This version knows no event type "${String(raw.type)}".`);
  const event = raw.schemaVersion === CATALOG[raw.type].schemaVersion ? raw : upcast(raw);
  validateEmitted(event);
  return event;
}
