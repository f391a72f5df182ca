export { dataDirHolder, DataDirInUse, DataDirUnusable, lockDataDir } from './data-lock';
export type { DataDirLock } from './data-lock';
export { nativePrograms } from './native';
export { findEmbeddedPostgres, hasEmbeddedStore } from './running';
export { startEmbeddedPostgres } from './server';
export type { ServerAddress } from './places';
export type { EmbeddedServer, EmbeddedServerOptions } from './server';
