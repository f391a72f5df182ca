export { strategyConfigSchema, type StrategyConfig } from './config';
export { StrategyBroken, StrategyGuard, type StrategyFailures } from './guard';
export { loadStrategies, withVoters, type Strategy, type StrategyEntry } from './load-strategies';
export { StrategyWatch, type HungStrategy } from './strategy-watch';
