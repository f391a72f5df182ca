import { clusterConfigSchema } from '@moon/cluster';

/** What docker-compose.yml may set for an app: the settings that the apps read. */
export const distributedSettings = clusterConfigSchema;
