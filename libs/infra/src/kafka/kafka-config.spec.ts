import { createServer } from 'node:net';
import { Type } from '@sinclair/typebox';
import { loadConfig } from '../config';
import { checkBrokers, describeKafkaError, kafkaSchema, socketFactory } from './kafka-config';

const settingsOf = (flags: Record<string, unknown> = {}) =>
  loadConfig(Type.Object({ kafka: kafkaSchema }), { flags }).kafka;

describe('the configuration of Kafka', () => {
  it('has a default for everything, and takes brokers and password from the environment', () => {
    expect(settingsOf()).toMatchObject({ brokers: ['127.0.0.1:9092'], requestTimeoutMs: 2000, metadataMaxAgeMs: 1000 });
    const env = { MOON_KAFKA__BROKERS: 'one:9092,two:9092', MOON_KAFKA__PASSWORD: 'secret' };
    const { kafka } = loadConfig(Type.Object({ kafka: kafkaSchema }), { env });
    expect(kafka).toMatchObject({ brokers: ['one:9092', 'two:9092'], password: 'secret' });
  });

  it('refuses a broker without a port by name', () => {
    expect(() => settingsOf({ 'kafka.brokers': 'one' })).toThrow('kafka.brokers.0');
  });

  it('lets go of a dead socket as often as it is asked to, and leaves nothing behind on it', async () => {
    const port = await freePort();
    const socket = socketFactory(settingsOf())({ host: '127.0.0.1', port, onConnect: () => undefined } as never);
    socket.on('error', () => undefined);
    await new Promise((resolve) => socket.once('close', resolve));
    const before = socket.listenerCount('connect');
    for (let time = 1; time <= 20; time += 1) socket.unref();
    expect(socket.listenerCount('connect')).toBe(before);
  });

  it('names a wrong address in one line, with what to do', async () => {
    const port = await freePort();
    const failure = await checkBrokers(settingsOf({ 'kafka.brokers': `127.0.0.1:${port}` })).catch(
      (error: Error) => error,
    );
    expect(failure).toMatchObject({ name: 'KafkaUnavailable' });
    const { message } = failure as Error;
    expect(message).toMatch(
      new RegExp(`^No Kafka broker answers at 127.0.0.1:${port} \\(ECONNREFUSED\\): check kafka.brokers`),
    );
    expect(message).not.toContain('\n');
  });

  it.each([
    ['KafkaJSSASLAuthenticationError', 'SASL authentication failed', 'check kafka.username and kafka.password'],
    ['KafkaJSConnectionError', 'self-signed certificate in chain', 'set kafka.caFile'],
    ['KafkaJSProtocolError', 'Not authorized to access topics: [TOPIC_AUTHORIZATION_FAILED]', 'check its ACLs'],
    [
      'KafkaJSProtocolError',
      "The group member's supported protocols are incompatible with those of existing members",
      'stop them first, or use their number',
    ],
  ])('names a %s (%s) by what to do', (name, message, advice) => {
    const inner = Object.assign(new Error(message), { name });
    const outer = new Error('retries exceeded', { cause: inner });
    expect(describeKafkaError(outer, settingsOf({ 'kafka.username': 'reader' }))).toContain(advice);
  });
});

/** A port on which nothing listens. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
