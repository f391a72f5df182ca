export { RULE_BASED_MODEL, RULE_BASED_PROVIDER, ruleBasedModel } from './rule-based';
