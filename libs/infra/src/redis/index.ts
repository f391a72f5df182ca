export { connectRedis, createRedis } from './client';
export type { RedisClient, RedisClientOptions, RedisUse } from './client';
export { redisConfigSchema, redisProblems } from './config';
export type { RedisConfig } from './config';
export { RedisUnusable } from './errors';
export { RedisProjectionCache } from './redis-projection-cache';
export type { RedisProjectionCacheOptions } from './redis-projection-cache';
