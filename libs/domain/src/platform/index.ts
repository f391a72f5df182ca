export { bootstrapEvents, priceSourceOf, type BootstrapOptions } from './bootstrap';
export { createAgents, createDeciders } from './handlers';
export { platformConfigSchema, type PlatformConfig } from './platform-config';
export { portfolioSettingsSchema, type PortfolioSettings } from './portfolio-settings';
export { SWITCHABLE_AGENTS, voterOf, type Switchable } from './switchable';
export { venueSources } from './venue-sources';
