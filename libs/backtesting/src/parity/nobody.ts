import type { VenuePort } from '@moon/kernel';

/** Whoever asks the outside world during a replay has a defect: everything that it said is in the log. */
function asked(what: string): never {
  throw new Error(`The replay asked ${what}, but everything that came from outside is to be taken from the log.`);
}

/** The venue of a replay of a log: nobody. */
export const NO_VENUE: VenuePort = {
  name: 'nobody',
  openAccount: () => asked('the venue for an account'),
  market: () => asked('the venue for its reports'),
  advanceTo: () => asked('the venue for its reports'),
  nextDueAt: () => asked('the venue for its time'),
  submit: () => asked('the venue to take an order'),
  cancel: () => asked('the venue to cancel an order'),
  query: () => asked('the venue about an order'),
  reportsSince: () => asked('the venue for its reports'),
  marketCauses: () => asked('the venue for its causes'),
  books: () => asked('the venue for its books'),
};

/** Signatures and nonces of a replay: they are in the log. */
export const NO_SIGNER = {
  sign: (): string => asked('for a signature'),
  nextNonce: (): number => asked('for a nonce'),
};
