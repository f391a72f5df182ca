export { bootstrapEvents, priceSourceOf, type BootstrapOptions } from './bootstrap';
export { createAgents, createDeciders } from './handlers';
export { platformConfigSchema, type PlatformConfig } from './platform-config';
export { portfolioConfigSchema, type PortfolioConfig } from './portfolio-config';
