/**
 * Key with which a portfolio signs its orders to the paper venue. It guards nothing: the venue is part of the project,
 * and signing only makes the path the same as to a real one.
 */
export function paperAccountKey(portfolio: string): string {
  return `paper-account-${portfolio}`;
}
