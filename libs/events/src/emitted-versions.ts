import { EVENT_TYPES, isEventType } from './catalog';
import type { AnyEvent, EventType } from './envelope';
import type { JsonObject, JsonValue } from './json';
import { DEFINITIONS } from './types';
import { definitionOf, upcast } from './upcast';
import type { RawEnvelope } from './upcast';

/** Versions by type; types that are left out are at their first one (what is read) or their newest (what is emitted). */
export type VersionsByType = Readonly<Record<string, number>>;

/** The newest version that this code reads, of every type that has had more than one. */
export const READ_VERSIONS: VersionsByType = Object.fromEntries(
  EVENT_TYPES.map((type) => [type, DEFINITIONS[type].version] as const).filter(([, version]) => version > 1),
);

/** Settings that name a version which this code cannot emit. */
export class VersionUnknown extends Error {
  override readonly name = 'VersionUnknown';
}

/**
 * Versions at which events leave this process: while older code still reads, an older one than this code knows (an event
 * version is consumed everywhere before anyone emits it).
 */
export class EmittedVersions {
  private readonly older = new Map<EventType, number>();

  /**
   * @param versions of types that are to be emitted at another version than the newest
   * @throws VersionUnknown a type or version that this code does not know, or cannot go back to
   */
  constructor(readonly versions: VersionsByType) {
    for (const [type, version] of Object.entries(versions)) {
      if (!isEventType(type)) throw new VersionUnknown(`"${type}" is no event type of the catalog.`);
      const newest = DEFINITIONS[type].version;
      for (let step = version; step < newest; step += 1) {
        if (definitionOf(type, step)?.downcast) continue;
        throw new VersionUnknown(`${type} cannot be emitted at version ${version}: this code makes version ${newest}.`);
      }
      if (version > newest || version < 1)
        throw new VersionUnknown(`${type} has no version ${version}: this code reads up to version ${newest}.`);
      if (version < newest) this.older.set(type, version);
    }
  }

  /** What differs from the newest, for settings that are compared. */
  get pinned(): VersionsByType {
    return Object.fromEntries([...this.older].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Types that older code could not read, with their versions. */
  get emitted(): VersionsByType {
    return { ...READ_VERSIONS, ...this.pinned };
  }

  /** The event as everybody will read it: what an older version cannot say is not said in this process either. */
  readonly settle = (event: AnyEvent): AnyEvent => {
    const version = this.older.get(event.type);
    return version === undefined ? event : readAgain(this.down(event, version));
  };

  /**
   * The event at the version at which it leaves the process. One that says more (it was made before the older version was
   * asked for) leaves as it is: nothing that has happened is taken back.
   */
  readonly wire = (event: AnyEvent): AnyEvent => {
    const version = this.older.get(event.type);
    if (version === undefined || event.schemaVersion <= version) return event;
    const older = this.down(event, version);
    return isSame(readAgain(older).data as never, event.data as never) ? older : event;
  };

  private down(event: AnyEvent, version: number): AnyEvent {
    let data = event.data as unknown as JsonObject;
    for (let step = event.schemaVersion - 1; step >= version; step -= 1) {
      const definition = definitionOf(event.type, step);
      data = definition!.downcast!(data);
    }
    return { ...event, schemaVersion: version, data } as unknown as AnyEvent;
  }
}

const readAgain = (event: AnyEvent): AnyEvent => upcast(event as unknown as RawEnvelope) as unknown as AnyEvent;

/** Whether two values of JSON say the same, whatever the order of their fields; a field that is undefined is none. */
function isSame(one: JsonValue | undefined, other: JsonValue | undefined): boolean {
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return one === other;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const [a, b] = [one as JsonObject, other as JsonObject];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((name) => isSame(a[name], b[name]));
}
