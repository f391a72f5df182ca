import type { BusConsumer, BusListener } from '@moon/kernel';
import { type CustomTransportStrategy, Server } from '@nestjs/microservices';

export interface BusTransportOptions {
  consumer: BusConsumer;
  listener: BusListener;
}

/**
 * A consumer as a microservice of Nest: started by `app.startAllMicroservices()`, stopped with the application. Nest has the
 * wiring and the life cycle and sees no message: through its handlers a process takes 50 to 90 thousand a second at most.
 */
export class BusTransport extends Server implements CustomTransportStrategy {
  constructor(private readonly options: BusTransportOptions) {
    super();
  }

  /** Called back with the error of a failed start, which Nest throws on. */
  listen(callback: (error?: unknown) => void): void {
    this.options.consumer.start(this.options.listener).then(() => callback(), callback);
  }

  close(): Promise<void> {
    return this.options.consumer.stop();
  }

  /** Consumers have no events of their own to listen to: what goes wrong goes to `onTrouble`. */
  override on(): void {}

  override unwrap<T>(): T {
    return this.options.consumer as T;
  }
}
