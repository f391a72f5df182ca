import { parseJson } from './fields';

/** The REST side did not give a usable answer. */
export class InfoUnavailable extends Error {
  override readonly name = 'InfoUnavailable';
}

type InfoRequest = { type: string; [field: string]: unknown };

/** Reads from `POST /info`. Everything there is public. */
export class InfoClient {
  constructor(
    private readonly restUrl: string,
    private readonly timeoutMs: number,
  ) {}

  /** @throws InfoUnavailable when there is no answer in time, or none with status 200 and JSON */
  async ask(request: InfoRequest): Promise<unknown> {
    const url = `${this.restUrl.replace(/\/$/, '')}/info`;
    const signal = AbortSignal.timeout(this.timeoutMs);
    const headers = { 'content-type': 'application/json' };
    try {
      const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(request), signal });
      const body = await response.text();
      if (response.status !== 200) throw new InfoUnavailable(`status ${response.status}: ${body.slice(0, 100)}`);
      return parseJson(body);
    } catch (error) {
      throw new InfoUnavailable(`${url} gives no answer to ${request.type}: ${reasonOf(error, this.timeoutMs)}`);
    }
  }

  recentTrades(coin: string): Promise<unknown> {
    return this.ask({ type: 'recentTrades', coin });
  }

  /** One-minute candles that open in [startTime, endTime], ms; the venue has the newest 5,000. */
  candles(coin: string, startTime: number, endTime: number): Promise<unknown> {
    return this.ask({ type: 'candleSnapshot', req: { coin, interval: '1m', startTime, endTime } });
  }

  /** Settled rates from `startTime` on, at most 500. */
  fundingHistory(coin: string, startTime: number): Promise<unknown> {
    return this.ask({ type: 'fundingHistory', coin, startTime });
  }

  meta(): Promise<unknown> {
    return this.ask({ type: 'meta' });
  }
}

/** `fetch` hides why it failed in `cause`. Its errors may be of another realm, so `instanceof` says nothing. */
function reasonOf(error: unknown, timeoutMs: number): string {
  const { name, message, cause } = error as {
    name?: string;
    message?: string;
    cause?: { code?: string; message?: string };
  };
  if (name === 'TimeoutError') return `none within ${timeoutMs} ms`;
  const why = cause?.code ?? cause?.message ?? '';
  return why === '' ? (message ?? String(error)) : `${message ?? ''} (${why})`;
}
