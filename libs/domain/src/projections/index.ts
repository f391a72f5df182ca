export { portfolioProjectionConfigSchema, type PortfolioProjectionConfig } from './config';
export { createPortfolioProjection, type PortfolioProjectionState } from './portfolio-projection';
