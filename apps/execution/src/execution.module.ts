import { Module, type DynamicModule } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { OperatorInbox, SubmitOperatorCommandHandler } from './operator/submit-operator-command';

export { OperatorInbox, SubmitOperatorCommand } from './operator/submit-operator-command';
export { PaperVenue, type PaperVenueOptions } from './venues/paper/paper-venue';
export { RemotePaperVenue } from './venues/paper/client';

/** The command side: commands from outside are routed by the CommandBus to the runtime that owns the portfolios. */
@Module({ imports: [CqrsModule], providers: [SubmitOperatorCommandHandler] })
export class ExecutionModule {
  /** @param inbox what takes operators' requests: the running platform */
  static with(inbox: OperatorInbox): DynamicModule {
    return { module: ExecutionModule, providers: [{ provide: OperatorInbox, useValue: inbox }], exports: [CqrsModule] };
  }
}
