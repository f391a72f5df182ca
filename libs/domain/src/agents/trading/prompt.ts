/** What the model is told. Only numbers and names of ours go in: no text of a third party reaches the prompt. */
export interface Question {
  token: string;
  intervalMs: number;
  features: Record<string, number | string>;
  trigger: string;
}

const EXPLANATION =
  "smaFast and smaSlow are simple moving averages, rsi is Wilder's relative strength index, the macd and bollinger\n" +
  'fields are as usual, sigma is the standard deviation behind the Bollinger bands; prices are in the quote currency.\n\n';

const ANSWER =
  'Answer with one JSON object and nothing else, no code fence:\n' +
  '{"action": "BUY" | "SELL" | "HOLD", "score": number from 0 to 100, "confidence": number from 0 to 1, "reason": text of at most 500 characters}\n' +
  'score says how strong the case for the action is, confidence how sure you are of it. Answer HOLD with confidence 0 when you cannot tell.';

/** The prompt, the same text for the same question. The answer that it asks for is what `parseAnswer` accepts. */
export function tradingPrompt(question: Question): string {
  const { token, intervalMs, features, trigger } = question;
  let figures = '';
  for (const name of Object.keys(features)) figures += `- ${name}: ${features[name]}\n`;
  const task = `You judge the short-term direction of ${JSON.stringify(token)} from indicators on bars of ${intervalMs / 1000} seconds.\n`;
  return `${task}${EXPLANATION}${figures}\nAsked because of: ${trigger}.\n\n${ANSWER}`;
}
