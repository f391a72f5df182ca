import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { EmitData } from '@moon/events';

type OperatorCommandData = EmitData<'operator.command'>;

/** Takes operators' requests into the log of the running platform. */
export abstract class OperatorDesk {
  /** @returns a sentence that says what was done */
  abstract take(command: OperatorCommandData): Promise<string>;
}

/** An operator asks for something: a halt, its end, or a dead letter to be delivered again. */
export class SubmitOperatorCommand extends Command<string> {
  constructor(readonly data: OperatorCommandData) {
    super();
  }
}

@CommandHandler(SubmitOperatorCommand)
export class SubmitOperatorCommandHandler implements ICommandHandler<SubmitOperatorCommand> {
  constructor(@Inject(OperatorDesk) private readonly desk: OperatorDesk) {}

  execute(command: SubmitOperatorCommand): Promise<string> {
    return this.desk.take(command.data);
  }
}
