import { Module, type DynamicModule } from '@nestjs/common';
import { OperatorInbox } from '@moon/infra';

/**
 * The store's side of the platform. In one process the runtime writes its own log, strictly in order; what is left here
 * is what others put into the store for it: operators' requests.
 */
@Module({ exports: [OperatorInbox] })
export class RecorderModule {
  static with(requests: OperatorInbox): DynamicModule {
    return { module: RecorderModule, providers: [{ provide: OperatorInbox, useValue: requests }] };
  }
}
