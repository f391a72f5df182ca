import { defineEvent } from '../../define';
import { about, Num, Str, Text, Timestamp, Token } from '../../fields';

export const marketSentiment = defineEvent({
  type: 'market.sentiment',
  version: 1,
  category: 'market',
  doc: "A sentiment reading as its source reported it, on the source's own scale (rule 10).",
  topic: 'market.sentiments',
  key: 'token',
  fields: {
    token: Token,
    source: about(Str, 'Who reported it, e.g. alternative.me.'),
    score: Num,
    scaleMin: about(Num, 'Lowest value of the scale.'),
    scaleMax: about(Num, 'Highest value of the scale.'),
    text: Text,
    timestamp: Timestamp,
  },
  example: {
    token: 'BTC',
    source: 'fear-and-greed',
    score: 27,
    scaleMin: 0,
    scaleMax: 100,
    text: 'Fear',
    timestamp: 1641081600000,
  },
});
