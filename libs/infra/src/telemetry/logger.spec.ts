import { createLogger } from './logger';

describe('createLogger', () => {
  it('hides credentials wherever they stand in a line, and keeps the rest', () => {
    const lines: string[] = [];
    const logger = createLogger({ level: 'info', destination: { write: (line: string) => void lines.push(line) } });
    logger.info(
      {
        apiKey: 'k-1',
        order: { signature: 's-1', token: 'BTC' },
        a: { b: { password: 'p-1', ownerPassword: 'p-1', appPassword: 'p-1' } },
        correlationId: 'c-1',
      },
      'sent',
    );
    const text = lines.join('');
    expect(text).not.toMatch(/k-1|s-1|p-1/);
    expect(JSON.parse(text)).toMatchObject({
      msg: 'sent',
      correlationId: 'c-1',
      order: { token: 'BTC', signature: '[redacted]' },
    });
  });
});
