/** The agents that vote or inform, by the name of their handler; the risk agent is not among them. */
export const SWITCHABLE_AGENTS = [
  'agent/trading',
  'agent/chart',
  'agent/sentiment',
  'agent/funding',
  'agent/liquidation',
  'agent/correlation',
] as const;

/**
 * What a run can do without (`platform.switchedOff`). The rest cannot be switched off: execution, risk, force close and consensus
 * are what makes an order safe, and the projection what makes it visible.
 */
export const SWITCHABLE = [
  ...SWITCHABLE_AGENTS,
  'normaliser/bars',
  'normaliser/liquidations',
  'normaliser/sentiment',
] as const;

export type Switchable = (typeof SWITCHABLE)[number];

/** The name under which one of the platform's own agents votes: `agent/trading` votes as `trading_agent`. */
export function voterOf(agent: (typeof SWITCHABLE_AGENTS)[number]): string {
  return `${agent.slice('agent/'.length)}_agent`;
}
