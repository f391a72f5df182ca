import { eventId, type AnyEvent, type EmitData } from '@moon/events';
import { OperatorDesk, SubmitOperatorCommand } from '@moon/app-execution';
import type { CommandBus } from '@nestjs/cqrs';
import type { OperatorInbox } from '@moon/infra';
import type { Engine, EventStore } from '@moon/kernel';

/** Pause between two looks for operators' requests, ms. */
const POLL_MS = 500;

/** Takes operators' requests into the log, and carries out what is not a handler's business: replaying dead letters. */
export class OperatorCommands extends OperatorDesk {
  private timer: NodeJS.Timeout | null = null;
  private isPolling = false;

  constructor(
    private readonly store: EventStore,
    private readonly engine: Engine,
    private readonly submit: (event: AnyEvent) => void,
    private readonly durable: () => Promise<void>,
    private readonly headers: AnyEvent['headers'],
  ) {
    super();
  }

  /** Looks for requests in the store; each goes through the CommandBus. */
  listen(parts: { commands: CommandBus; requests: OperatorInbox }, onError: (error: Error) => void): void {
    this.timer = setInterval(() => {
      if (this.isPolling) return;
      this.isPolling = true;
      void this.poll(parts)
        .catch(onError)
        .finally(() => (this.isPolling = false));
    }, POLL_MS);
  }

  stop(): void {
    if (this.timer) clearInterval(this.timer);
  }

  async take(data: EmitData<'operator.command'>): Promise<string> {
    const at = Math.max(this.engine.now, data.timestamp);
    const id = eventId('operator.command', data.requestedBy, JSON.stringify(data.arguments), String(data.timestamp));
    this.submit({
      ...{ id, type: 'operator.command', schemaVersion: 1, source: 'operator', key: 'system', occurredAt: at },
      ...{ correlationId: id, causationId: null, headers: this.headers },
      data: { event_type: 'operator.command', ...data },
    });
    if (data.command === 'replay_dead_letter') await this.replay(data, id, at);
    await this.durable();
    return id;
  }

  private async poll({ commands, requests }: { commands: CommandBus; requests: OperatorInbox }): Promise<void> {
    for (const request of await requests.pending()) {
      const { command, arguments: args, requestedBy, requestedAt: timestamp } = request;
      const data = { command, arguments: args, requestedBy, timestamp } as EmitData<'operator.command'>;
      await requests.taken(request.id, await commands.execute(new SubmitOperatorCommand(data)));
    }
  }

  private async replay(
    { arguments: args, requestedBy }: EmitData<'operator.command'>,
    causeId: string,
    at: number,
  ): Promise<void> {
    const {
      handler,
      handlerKey,
      eventId: replayedEventId,
      parked,
    } = args as Record<string, string | boolean | undefined>;
    if (typeof handler !== 'string' || typeof handlerKey !== 'string' || typeof replayedEventId !== 'string') return;
    const { rows } = await this.store.query({ eventId: replayedEventId, limit: 1 });
    const original = rows[0];
    if (!original) return;
    const where = { handler, handlerKey, timestamp: at };
    const common = {
      schemaVersion: 1,
      source: 'operator',
      key: handlerKey,
      occurredAt: at,
      correlationId: causeId,
      causationId: causeId,
    };
    const id = eventId('replay', causeId, replayedEventId);
    if (parked === true) {
      const data = { event_type: 'key.unparked', ...where, eventId: replayedEventId, seq: original.seq };
      this.submit({ id, type: 'key.unparked', ...common, data, headers: this.headers } as AnyEvent);
      return;
    }
    this.engine.provideOriginal(original.event);
    const data = { event_type: 'event.replayed', ...where, replayedEventId, replayedSeq: original.seq, requestedBy };
    this.submit({ id, type: 'event.replayed', ...common, data, headers: this.headers } as AnyEvent);
  }
}
