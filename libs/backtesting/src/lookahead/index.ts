export { changedInputs, type InputChange } from './changed-inputs';
export {
  checkLookahead,
  type HandlerVerdict,
  type LookaheadOptions,
  type LookaheadReport,
  type LookaheadVerdict,
  type RunObserver,
} from './check-lookahead';
export type { DecisionSeen, Difference } from './decisions';
