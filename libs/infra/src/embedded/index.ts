export { DataDirInUse, lockDataDir } from './data-lock';
export type { DataDirLock } from './data-lock';
export { startEmbeddedPostgres } from './server';
export type { EmbeddedServer, EmbeddedServerOptions, ServerAddress } from './server';
