import { Module, type DynamicModule } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { OperatorDesk, SubmitOperatorCommandHandler } from './operator/submit-operator-command';

export { OperatorDesk, SubmitOperatorCommand } from './operator/submit-operator-command';
export { PaperVenue, type PaperVenueOptions } from './venues/paper/paper-venue';
export { RemotePaperVenue } from './venues/paper/remote-paper-venue';

/** The command side: commands from outside are routed by the CommandBus to the runtime that owns the portfolios. */
@Module({ imports: [CqrsModule], providers: [SubmitOperatorCommandHandler] })
export class ExecutionModule {
  /** @param desk what takes operators' requests: the running platform */
  static with(desk: OperatorDesk): DynamicModule {
    return { module: ExecutionModule, providers: [{ provide: OperatorDesk, useValue: desk }], exports: [CqrsModule] };
  }
}
