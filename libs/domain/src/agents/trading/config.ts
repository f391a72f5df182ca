import { Type, type Static } from '@sinclair/typebox';
import { openingSchema } from '../../agent-kit';

const indicatorsSchema = Type.Object(
  {
    smaFast: Type.Integer({
      default: 20,
      minimum: 2,
      maximum: 500,
      description: 'Bars in the fast simple moving average.',
    }),
    smaSlow: Type.Integer({
      default: 50,
      minimum: 3,
      maximum: 1_000,
      description: 'Bars in the slow simple moving average.',
    }),
    rsi: Type.Integer({
      default: 14,
      minimum: 2,
      maximum: 500,
      description: 'Period of the relative strength index (Wilder).',
    }),
    macdFast: Type.Integer({ default: 12, minimum: 2, maximum: 500, description: 'Period of the fast MACD average.' }),
    macdSlow: Type.Integer({
      default: 26,
      minimum: 3,
      maximum: 1_000,
      description: 'Period of the slow MACD average.',
    }),
    macdSignal: Type.Integer({ default: 9, minimum: 2, maximum: 500, description: 'Period of the MACD signal line.' }),
    bollinger: Type.Integer({ default: 20, minimum: 2, maximum: 500, description: 'Bars in the Bollinger bands.' }),
    bollingerWidth: Type.Number({
      default: 2,
      exclusiveMinimum: 0,
      maximum: 10,
      description: 'Distance of the bands from their middle in standard deviations.',
    }),
  },
  { additionalProperties: false, default: {}, description: 'Indicator periods (TRD-1).' },
);

const conditionsSchema = Type.Object(
  {
    rsiLow: Type.Number({
      default: 30,
      minimum: 0,
      maximum: 50,
      description: 'Entering at or below this RSI is a trading condition.',
    }),
    rsiHigh: Type.Number({
      default: 70,
      minimum: 50,
      maximum: 100,
      description: 'Entering at or above this RSI is a trading condition.',
    }),
    trendSigmas: Type.Number({
      default: 2,
      exclusiveMinimum: 0,
      maximum: 20,
      description: 'A distance of the moving averages of this many standard deviations is a trend.',
    }),
    reviewBars: Type.Integer({
      default: 30,
      minimum: 1,
      maximum: 10_000,
      description: 'The model is asked at least this often, in bars, so that the view never gets old.',
    }),
    minIntervalMs: Type.Integer({
      default: 600_000,
      minimum: 0,
      description:
        "Least time between two inferences of the agent's own accord, in ms of event time. Conditions met meanwhile wait.",
    }),
  },
  { additionalProperties: false, default: {}, description: 'When the model is asked.' },
);

const correlationSchema = Type.Object(
  {
    validMs: Type.Integer({
      default: 3_600_000,
      minimum: 0,
      description: 'How long a detected correlation counts, in ms.',
    }),
    newMoveFraction: Type.Number({
      default: 0.001,
      exclusiveMinimum: 0,
      maximum: 1,
      description: 'Price change since the detection, in the correlated direction, that is a new move; 0.001 = 0.1 %.',
    }),
    confidenceFactor: Type.Number({
      default: 1.25,
      minimum: 1,
      maximum: 3,
      description: 'Confidence of a signal in the correlated direction is multiplied by this, up to 1.',
    }),
    sizeAboveConfidence: Type.Number({
      default: 0.8,
      minimum: 0,
      exclusiveMaximum: 1,
      description: 'Raised confidence above this raises the position size too.',
    }),
    maxSizeFactor: Type.Number({
      default: 1.5,
      minimum: 1,
      maximum: 3,
      description: 'Size factor at confidence 1; it grows linearly from 1 at sizeAboveConfidence.',
    }),
    minScore: Type.Number({
      default: 55,
      minimum: 0,
      maximum: 100,
      description: 'Lowest score at which a raised view opens a window; the least of this and opening.minScore counts.',
    }),
  },
  { additionalProperties: false, default: {}, description: 'What a correlation of sentiment and price does (US5-2).' },
);

/** Configuration of the trading agent. */
export const tradingAgentConfigSchema = Type.Object(
  {
    agent: Type.String({
      default: 'trading_agent',
      minLength: 1,
      maxLength: 200,
      description: 'Name in signals, windows and subscriptions.',
    }),
    intervalMs: Type.Integer({
      default: 60_000,
      minimum: 1_000,
      maximum: 86_400_000,
      description: 'Length of the bars it works on, in ms.',
    }),
    model: Type.String({
      default: 'rule-based-1',
      minLength: 1,
      maxLength: 200,
      description: "Model asked for in inference.requested; who answers is the model adapter's business.",
    }),
    timeoutMs: Type.Integer({
      default: 4_000,
      minimum: 100,
      maximum: 120_000,
      description: 'How long an answer is waited for, in ms; for a window never beyond its end.',
    }),
    viewMaxAgeMs: Type.Integer({
      default: 120_000,
      minimum: 0,
      description: 'Age up to which the last answer is voted with; beyond it a window asks the model anew. In ms.',
    }),
    maxBarAgeMs: Type.Integer({
      default: 180_000,
      minimum: 1_000,
      description: 'With no bar for this long the agent has no view, in ms.',
    }),
    indicators: indicatorsSchema,
    conditions: conditionsSchema,
    correlation: correlationSchema,
    opening: openingSchema,
  },
  { additionalProperties: false, description: 'Trading agent: indicators judged by a model.' },
);
export type TradingAgentConfig = Static<typeof tradingAgentConfigSchema>;
