import { serveBacktest } from '@moon/backtesting';
import { ConfigError, UnreadableFile } from '@moon/infra';
import { openInputs, type InputResources } from './open-inputs';

/** The thread of one backtest: data come from files and from the store, everything else is the library's. */
serveBacktest({
  openInputs: (resources, notice) => (request) => openInputs(request, resources as InputResources, notice),
  isRefusal: (error) => error instanceof UnreadableFile || error instanceof ConfigError,
});
