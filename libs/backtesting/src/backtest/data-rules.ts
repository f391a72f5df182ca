/** What is done about imperfect data, as the report says it. The tests of the venue and of the reader hold each of them. */
export const RULES: readonly string[] = [
  'Gap: nothing is filled in it and no price is made up. Orders wait, and go on to expire and to be cancelled; the first price after it fills, triggers and judges them at that price.',
  'Stale price: a market order that comes when the last bar ended more than two bar lengths ago waits for the next price.',
  'Order book: after a gap in the numbers of its updates it is not used until the next snapshot; orders meet the last price or quote meanwhile.',
  'Bar of volume 0: its prices count; where the share of the volume is limited, nothing is filled in it.',
  'Repeat: an exact repeat of a bar, funding rate or liquidation counts once; equal trades are trades of their own.',
  'Conflict: of two rows that say different things of the same bar or settlement, the first one counts.',
  'Out of order: rows of a file are put in order of time before the run; a bar, trade or quote that still comes after a newer one moves no price and fills nothing.',
  'Refused row: a row that breaks a rule of its format (a value that is no number, a high below the low) is left out whole and counted by reason.',
  'Trades, quotes and marks come as they come: silence of more than an hour is listed, without a count of missing rows.',
];
