import type { BusConsumer, BusListener } from '@moon/kernel';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RecordingListener } from '../../../kernel/src/testing/recording-listener';
import { BusTransport } from './transport';

@Module({})
class Empty {}

/** Tells its listener of a shard at the start, and takes it back at the stop. */
class OneShard implements BusConsumer {
  private listener: BusListener | null = null;
  constructor(private readonly failure: Error | null = null) {}
  async start(listener: BusListener): Promise<void> {
    if (this.failure) throw this.failure;
    this.listener = listener;
    await listener.assigned([0]);
  }
  async stop(): Promise<void> {
    await this.listener?.revoked([0]);
  }
  partitions(): never[] {
    return [];
  }
  seek(): void {}
  commit(): Promise<void> {
    return Promise.resolve();
  }
  pause(): void {}
  resume(): void {}
  caughtUp(): Promise<boolean> {
    return Promise.resolve(true);
  }
  lag(): Record<string, never> {
    return {};
  }
}

describe('the transport for Nest', () => {
  let close = (): Promise<void> => Promise.resolve();

  afterEach(() => close());

  async function microservice(consumer: BusConsumer, listener: BusListener) {
    const strategy = new BusTransport({ consumer, listener });
    const app = await NestFactory.createMicroservice(Empty, { strategy, logger: false });
    close = () => app.close();
    return { app, strategy };
  }

  it('starts the consumer with the application, and stops it with it', async () => {
    const listener = new RecordingListener();
    const consumer = new OneShard();
    const { app, strategy } = await microservice(consumer, listener);
    expect(listener.told).toEqual([]);
    await app.listen();
    expect(listener.shards).toEqual([0]);
    expect(strategy.unwrap()).toBe(consumer);
    await app.close();
    expect(listener.shards).toEqual([]);
  });

  it('a start that fails fails the application', async () => {
    const { app } = await microservice(new OneShard(new Error('no broker')), new RecordingListener());
    await expect(app.listen()).rejects.toThrow('no broker');
  });
});
