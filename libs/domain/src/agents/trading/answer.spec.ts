import fc from 'fast-check';
import { oneLine, parseAnswer } from './answer';

const good = { action: 'BUY', score: 80, confidence: 0.7, reason: 'trend up' };

describe('reading a model’s answer', () => {
  it('[TRD-2] accepts exactly one JSON object with action, score, confidence and reason', () => {
    expect(parseAnswer(`  ${JSON.stringify(good)}\n`)).toEqual({ ok: true, view: good });
  });

  it.each([
    ['no JSON', 'I would buy.', 'not JSON'],
    ['a code fence', `\`\`\`json\n${JSON.stringify(good)}\n\`\`\``, 'not JSON'],
    ['text behind it', `${JSON.stringify(good)} Good luck!`, 'not JSON'],
    ['a list', JSON.stringify([good]), 'not a JSON object'],
    ['null', 'null', 'not a JSON object'],
    ['a missing field', JSON.stringify({ ...good, reason: undefined }), 'its fields are [action, confidence, score]'],
    ['a further field', JSON.stringify({ ...good, size: 3 }), 'its fields are'],
    ['a prototype field', '{"action":"BUY","score":80,"confidence":0.7,"__proto__":{}}', 'its fields are'],
    ['another action', JSON.stringify({ ...good, action: 'buy' }), 'action is not'],
    ['a score over 100', JSON.stringify({ ...good, score: 101 }), 'score is not'],
    ['a score as text', JSON.stringify({ ...good, score: '80' }), 'score is not'],
    ['an infinite score', '{"action":"BUY","score":1e999,"confidence":0.7,"reason":""}', 'score is not'],
    ['a confidence of 1.7', JSON.stringify({ ...good, confidence: 1.7 }), 'confidence is not'],
    ['a negative confidence', JSON.stringify({ ...good, confidence: -0.1 }), 'confidence is not'],
    ['a reason that is no text', JSON.stringify({ ...good, reason: 5 }), 'reason is not'],
    ['an endless reason', JSON.stringify({ ...good, reason: 'x'.repeat(1001) }), 'reason is not'],
    ['nothing', '', 'not JSON'],
  ])('[TRD-2] refuses %s and says why', (_, text, rule) => {
    const parsed = parseAnswer(text);
    expect(parsed.ok).toBe(false);
    expect(!parsed.ok && parsed.detail).toContain(rule);
  });

  it('makes the reason fit for one line: no control characters, no half surrogate pairs', () => {
    const parsed = parseAnswer(JSON.stringify({ ...good, reason: 'a\n\u0000b\ud800c\u2028d' }));
    expect(parsed).toMatchObject({ ok: true, view: { reason: 'a b\ufffdc d' } });
    expect(oneLine('plain text – with signs')).toBe('plain text – with signs');
  });

  it('property: no text at all makes it throw, and what it accepts is in range', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.jsonValue().map((value) => JSON.stringify(value)),
        ),
        (text) => {
          const parsed = parseAnswer(text);
          if (parsed.ok) expect(parsed.view.score).toBeLessThanOrEqual(100);
          else expect(parsed.detail.length).toBeLessThan(400);
        },
      ),
    );
  });
});
