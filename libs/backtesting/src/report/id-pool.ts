import { FIRST_NAME } from './embedded';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Gives every id a number once. A UUID takes 16 bytes, 22 characters in base64, in place of 36 wherever it is named. */
export class IdPool {
  private readonly places = new Map<string, number>();
  private readonly uuids: string[] = [];
  readonly names: string[] = [];

  /** The number of an id; −1 for none. */
  place(id: string | null): number {
    if (id === null) return -1;
    const known = this.places.get(id);
    if (known !== undefined) return known;
    const place = UUID.test(id) ? this.uuids.push(id) - 1 : FIRST_NAME - (this.names.push(id) - 1);
    this.places.set(id, place);
    return place;
  }

  /** All UUIDs, 16 bytes each, base64. */
  base64(): string {
    return Buffer.from(this.uuids.join('').replaceAll('-', ''), 'hex').toString('base64');
  }
}

/** Gives every text a number, in the order of their first appearance. */
export class TextPool {
  private readonly places = new Map<string, number>();

  place(text: string): number {
    const known = this.places.get(text) ?? this.places.size;
    this.places.set(text, known);
    return known;
  }

  texts(): string[] {
    return [...this.places.keys()];
  }
}
