import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { CommandBus } from '@nestjs/cqrs';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { OperatorInbox } from '@moon/infra';
import { StandaloneModule, type StandaloneParts } from './standalone.module';

export interface HttpServer {
  port: number;
  commands: CommandBus;
  /** Where operators' requests wait, as the recorder gives it. */
  requests: OperatorInbox;
  close(): Promise<void>;
}

/** Serves HTTP on 127.0.0.1. @throws Error that names the port when it is taken */
export async function serveHttp(port: number, parts: StandaloneParts): Promise<HttpServer> {
  const app = await NestFactory.create<NestFastifyApplication>(StandaloneModule.with(parts), new FastifyAdapter(), {
    logger: false,
    abortOnError: false,
  });
  try {
    await app.listen(port, '127.0.0.1');
  } catch (error) {
    await app.close();
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new Error(
      `port ${port} on 127.0.0.1 is taken; choose another one with --port, or --port 0 for any free one`,
      { cause: error },
    );
  }
  const address = app.getHttpServer().address();
  const listening = typeof address === 'object' && address !== null ? address.port : port;
  const [commands, requests] = [app.get(CommandBus), app.get(OperatorInbox, { strict: false })];
  return { port: listening, commands, requests, close: () => app.close() };
}
