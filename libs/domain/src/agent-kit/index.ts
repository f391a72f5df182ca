export * from './bar-source';
export * from './config';
export * from './halts';
export * from './opening';
export * from './view';
export * from './voter';
