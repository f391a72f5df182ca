import type { JsonObject } from '@moon/events';
import type { Login } from './access';
import { TextPool } from './pool';

/** What an operator asks the platform for, from another process. */
export interface OperatorRequest {
  id: number;
  command: string;
  arguments: JsonObject;
  requestedBy: string;
  /** When the store took it, epoch ms: the time of the event that it becomes (rule 2). */
  requestedAt: number;
}

/**
 * Requests of operators on their way into the log: `moon` puts them in, the platform takes them out as operator.command
 * events. A request stays open until its event is stored, so none is lost by a crash in between.
 */
export class OperatorInbox {
  private readonly pool: TextPool;

  constructor(login: Login, database: string) {
    this.pool = new TextPool(login, database, { connections: 1 });
  }

  /** Returns the id of the request. */
  async submit(request: Pick<OperatorRequest, 'command' | 'arguments' | 'requestedBy'>): Promise<number> {
    const [row] = await this.pool.rows(
      'submit_command',
      'INSERT INTO operator_commands (command, arguments, requested_by) VALUES ($1, $2::json, $3) RETURNING id',
      [request.command, JSON.stringify(request.arguments), request.requestedBy],
    );
    return Number(row![0]);
  }

  /** Requests that are not in the log yet, the oldest first. */
  async pending(): Promise<OperatorRequest[]> {
    const rows = await this.pool.rows(
      'pending_commands',
      `SELECT id, command, arguments, requested_by, date_part('epoch', requested_at) * 1000
       FROM operator_commands WHERE event_id IS NULL ORDER BY id`,
      [],
    );
    return rows.map(([id, command, args, requestedBy, at]) => ({
      id: Number(id),
      command: command!,
      arguments: JSON.parse(args!) as JsonObject,
      requestedBy: requestedBy!,
      requestedAt: Math.round(Number(at)),
    }));
  }

  /** The request is in the log as this event. */
  async taken(id: number, eventId: string): Promise<void> {
    const text =
      'UPDATE operator_commands SET event_id = $2::uuid, taken_at = now() WHERE id = $1::bigint AND event_id IS NULL';
    await this.pool.rows('taken_command', text, [id, eventId]);
  }

  /** The event that a request became; null while it waits. */
  async eventOf(id: number): Promise<string | null> {
    const [row] = await this.pool.rows(
      'command_event',
      'SELECT event_id FROM operator_commands WHERE id = $1::bigint',
      [id],
    );
    return row?.[0] ?? null;
  }

  close(): Promise<void> {
    return this.pool.end();
  }
}
