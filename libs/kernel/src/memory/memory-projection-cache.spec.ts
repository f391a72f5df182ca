import { describeProjectionCache } from '../contracts/projection-cache.contract';
import { MemoryCacheServer, MemoryProjectionCache } from './memory-projection-cache';

describeProjectionCache({
  name: 'in memory',
  create: () => {
    const server = new MemoryCacheServer();
    return Promise.resolve({
      cache: new MemoryProjectionCache(server),
      again: () => Promise.resolve(new MemoryProjectionCache(server)),
      close: () => Promise.resolve(),
    });
  },
});
