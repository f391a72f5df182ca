export { checkOrder, evaluateLimits, type LimitsContext, type Verdict } from './check';
export type { LimitFacts, OrderIntent, PortfolioFacts, PriceFacts, ResultingFacts } from './facts';
export type { Breach, Limit } from './limit';
export { LIMITS } from './limits';
export { limitsConfigSchema, resolveLimits, type LimitsConfig } from './limits-config';
export { createPriceBook, foldPrice, type PriceBook, type Quote } from './prices';
