import type { HandlerState } from '../../core/handler-host';
import type { AgentsStart } from '../recover';
import type { AgentThread } from './agent-thread';
import type { AgentsCut } from './agent-threads';
import type { AgentBase, RecordedSkip, ThreadOutput } from './protocol';

/** Where each agent would start again: its last known states, how far it has been heard, and what it never handles. */
export class AgentBases {
  private readonly bases = new Map<string, AgentBase>();
  private skips: RecordedSkip[];

  constructor(private readonly start: AgentsStart) {
    this.skips = [...start.skips];
    for (const [agent, base] of Object.entries(start.bases)) this.bases.set(agent, base);
  }

  /** An agent that the checkpoint does not know is new: it sees what came since, but says nothing about the past. */
  of(agent: string): AgentBase {
    const known = this.bases.get(agent);
    if (known) return known;
    const { seq, endSeq } = this.start;
    const base = { seq, silentUpTo: seq === 0 ? 0 : endSeq, states: [] };
    this.bases.set(agent, base);
    return base;
  }

  /** Asks a thread where its agents stand; nothing changes when it is stopped before it answers. */
  async refresh(thread: AgentThread): Promise<void> {
    const cut = await thread.cut();
    if (!cut) return;
    for (const agent of thread.names) {
      const states = cut.states.filter(({ handler }) => handler === agent);
      const silentUpTo = Math.max(cut.seq, thread.acked, this.of(agent).silentUpTo);
      this.bases.set(agent, { seq: cut.seq, silentUpTo, states });
    }
  }

  /** Notes how far outputs of a thread's agents have been taken over. */
  silence(thread: AgentThread): void {
    if (!thread.isReady) return;
    for (const agent of thread.names) {
      const base = this.of(agent);
      this.bases.set(agent, { ...base, silentUpTo: Math.max(base.silentUpTo, thread.acked) });
    }
  }

  cut(): AgentsCut {
    const states: HandlerState[] = [];
    const positions: AgentsCut['positions'] = {};
    for (const [agent, base] of this.bases) {
      positions[agent] = { seq: base.seq, silentUpTo: base.silentUpTo };
      states.push(...base.states);
    }
    return { positions, states };
  }

  /** What was skipped once stays skipped when the agent starts again. */
  skip(handler: string, key: string, seq: number): void {
    this.skips.push({ handler, key, seq });
  }

  noteSkips({ delivered }: ThreadOutput): void {
    for (const { type, data } of delivered.events) {
      if (type === 'event.skipped') this.skip(data.handler, data.handlerKey, data.skippedSeq);
    }
  }

  skipsOf(agents: readonly string[]): RecordedSkip[] {
    this.skips = this.skips.filter(({ handler, seq }) => seq > this.of(handler).seq);
    return this.skips.filter(({ handler }) => agents.includes(handler));
  }
}
