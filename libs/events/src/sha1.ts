/**
 * SHA-1 (FIPS 180-4) of a short ASCII text behind sixteen bytes: all that a UUIDv5 needs. An id is made for every event, and for a
 * text of one or two blocks the way into the crypto library and back costs more than the digest. It is the identity of events that
 * rests on this, not a secret.
 */

const BLOCK_WORDS = 16;
const ROUNDS = 80;
/** Bytes that are digested here at most. */
const LONGEST_ASCII = 1_024;
/** A character that no ASCII text has. */
const TOO_MUCH = 0x80;

const WORDS = new Int32Array(LONGEST_ASCII / 4 + 2 * BLOCK_WORDS);
const SCHEDULE = new Int32Array(ROUNDS);

let filled = 0;
/** The bytes that make no whole word yet, and how many. */
let pending = 0;
let count = 0;
/** The bits of all characters so far. */
let seen = 0;

/** Starts a digest. @param prefix four words, sixteen bytes */
export function begin(prefix: Int32Array): void {
  for (let index = 0; index < 4; index += 1) WORDS[index] = prefix[index]!;
  filled = 4;
  pending = count = seen = 0;
}

/** Takes more text. */
export function take(text: string): void {
  const { length } = text;
  if (filled * 4 + length > LONGEST_ASCII) {
    seen = TOO_MUCH;
    return;
  }
  let [word, bytes, number, all] = [filled, pending, count, seen];
  for (let index = 0; index < length; index += 1) {
    const code = text.charCodeAt(index);
    all |= code;
    bytes = (bytes << 8) | code;
    number += 1;
    if ((number & 3) === 0) WORDS[word++] = bytes;
  }
  filled = word;
  pending = bytes;
  count = number;
  seen = all;
}

/** Puts the digest into the first five of `into`. @returns false when the text was not ASCII, or too long */
export function end(into: Int32Array): boolean {
  if (seen > 0x7f) return false;
  // The bit that ends the text follows on what is left of it; the length in bits ends the last block.
  const left = count & 3;
  const ended = (left === 0 ? 0 : pending << (32 - 8 * left)) | (0x80 << (24 - 8 * left));
  WORDS[filled++] = ended;
  const words = Math.ceil((filled + 2) / BLOCK_WORDS) * BLOCK_WORDS;
  while (filled < words - 1) WORDS[filled++] = 0;
  WORDS[filled] = (count + 16) * 8;
  into[0] = 0x67452301;
  into[1] = 0xefcdab89;
  into[2] = 0x98badcfe;
  into[3] = 0x10325476;
  into[4] = 0xc3d2e1f0;
  for (let from = 0; from < words; from += BLOCK_WORDS) addBlock(into, from);
  return true;
}

/** Five rounds at a turn: after five the working values stand in their own places again, and nothing has to be moved. */
function addBlock(into: Int32Array, from: number): void {
  for (let round = 0; round < BLOCK_WORDS; round += 1) SCHEDULE[round] = WORDS[from + round]!;
  for (let round = BLOCK_WORDS; round < ROUNDS; round += 1) {
    const mixed = SCHEDULE[round - 3]! ^ SCHEDULE[round - 8]! ^ SCHEDULE[round - 14]! ^ SCHEDULE[round - 16]!;
    SCHEDULE[round] = (mixed << 1) | (mixed >>> 31);
  }
  let a = into[0]!;
  let b = into[1]!;
  let c = into[2]!;
  let d = into[3]!;
  let e = into[4]!;
  let round = 0;
  for (; round < 20; round += 5) {
    e = (((a << 5) | (a >>> 27)) + ((b & c) | (~b & d)) + e + 0x5a827999 + SCHEDULE[round]!) | 0;
    b = (b << 30) | (b >>> 2);
    d = (((e << 5) | (e >>> 27)) + ((a & b) | (~a & c)) + d + 0x5a827999 + SCHEDULE[round + 1]!) | 0;
    a = (a << 30) | (a >>> 2);
    c = (((d << 5) | (d >>> 27)) + ((e & a) | (~e & b)) + c + 0x5a827999 + SCHEDULE[round + 2]!) | 0;
    e = (e << 30) | (e >>> 2);
    b = (((c << 5) | (c >>> 27)) + ((d & e) | (~d & a)) + b + 0x5a827999 + SCHEDULE[round + 3]!) | 0;
    d = (d << 30) | (d >>> 2);
    a = (((b << 5) | (b >>> 27)) + ((c & d) | (~c & e)) + a + 0x5a827999 + SCHEDULE[round + 4]!) | 0;
    c = (c << 30) | (c >>> 2);
  }
  for (; round < 40; round += 5) {
    e = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e + 0x6ed9eba1 + SCHEDULE[round]!) | 0;
    b = (b << 30) | (b >>> 2);
    d = (((e << 5) | (e >>> 27)) + (a ^ b ^ c) + d + 0x6ed9eba1 + SCHEDULE[round + 1]!) | 0;
    a = (a << 30) | (a >>> 2);
    c = (((d << 5) | (d >>> 27)) + (e ^ a ^ b) + c + 0x6ed9eba1 + SCHEDULE[round + 2]!) | 0;
    e = (e << 30) | (e >>> 2);
    b = (((c << 5) | (c >>> 27)) + (d ^ e ^ a) + b + 0x6ed9eba1 + SCHEDULE[round + 3]!) | 0;
    d = (d << 30) | (d >>> 2);
    a = (((b << 5) | (b >>> 27)) + (c ^ d ^ e) + a + 0x6ed9eba1 + SCHEDULE[round + 4]!) | 0;
    c = (c << 30) | (c >>> 2);
  }
  for (; round < 60; round += 5) {
    e = (((a << 5) | (a >>> 27)) + ((b & c) | (d & (b | c))) + e + 0x8f1bbcdc + SCHEDULE[round]!) | 0;
    b = (b << 30) | (b >>> 2);
    d = (((e << 5) | (e >>> 27)) + ((a & b) | (c & (a | b))) + d + 0x8f1bbcdc + SCHEDULE[round + 1]!) | 0;
    a = (a << 30) | (a >>> 2);
    c = (((d << 5) | (d >>> 27)) + ((e & a) | (b & (e | a))) + c + 0x8f1bbcdc + SCHEDULE[round + 2]!) | 0;
    e = (e << 30) | (e >>> 2);
    b = (((c << 5) | (c >>> 27)) + ((d & e) | (a & (d | e))) + b + 0x8f1bbcdc + SCHEDULE[round + 3]!) | 0;
    d = (d << 30) | (d >>> 2);
    a = (((b << 5) | (b >>> 27)) + ((c & d) | (e & (c | d))) + a + 0x8f1bbcdc + SCHEDULE[round + 4]!) | 0;
    c = (c << 30) | (c >>> 2);
  }
  for (; round < ROUNDS; round += 5) {
    e = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e + 0xca62c1d6 + SCHEDULE[round]!) | 0;
    b = (b << 30) | (b >>> 2);
    d = (((e << 5) | (e >>> 27)) + (a ^ b ^ c) + d + 0xca62c1d6 + SCHEDULE[round + 1]!) | 0;
    a = (a << 30) | (a >>> 2);
    c = (((d << 5) | (d >>> 27)) + (e ^ a ^ b) + c + 0xca62c1d6 + SCHEDULE[round + 2]!) | 0;
    e = (e << 30) | (e >>> 2);
    b = (((c << 5) | (c >>> 27)) + (d ^ e ^ a) + b + 0xca62c1d6 + SCHEDULE[round + 3]!) | 0;
    d = (d << 30) | (d >>> 2);
    a = (((b << 5) | (b >>> 27)) + (c ^ d ^ e) + a + 0xca62c1d6 + SCHEDULE[round + 4]!) | 0;
    c = (c << 30) | (c >>> 2);
  }
  into[0] = (into[0]! + a) | 0;
  into[1] = (into[1]! + b) | 0;
  into[2] = (into[2]! + c) | 0;
  into[3] = (into[3]! + d) | 0;
  into[4] = (into[4]! + e) | 0;
}
