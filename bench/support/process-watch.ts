import { readFileSync } from 'node:fs';
import type { Rig } from '../../tests/faults/cluster/rig';

const LOOK_MS = 1_000;
/** Clock ticks of /proc a second, on every Linux that Node.js runs on. */
const TICKS_A_SECOND = 100;
const MEGABYTE = 1_048_576;

interface Look {
  atMs: number;
  /** Resident memory, MB. */
  memory: number;
  /** CPU time so far, s. */
  cpu: number;
  /** Messages that it has not read. */
  lag: number;
  /** JavaScript heap in use, MB; what is not collected yet is in it. null: the process says nothing of it. */
  heap: number | null;
}

/** What one process took meanwhile. */
export interface Watched {
  name: string;
  memoryStart: number;
  memoryEnd: number;
  /** Least heap in use in the first and in the last tenth, MB: near what is alive. null: not known. */
  heapStart: number | null;
  heapEnd: number | null;
  /** Cores. */
  cpu: number;
  lagStart: number;
  lagMost: number;
  lagEnd: number;
}

/** Memory, CPU and lag of every process of a rig, once a second. */
export class ProcessWatch {
  private readonly looks = new Map<string, Look[]>();
  private isOver = false;
  private running: Promise<void> = Promise.resolve();

  constructor(private readonly rig: Rig) {}

  start(): void {
    this.running = this.watch();
  }

  async stop(): Promise<Watched[]> {
    this.isOver = true;
    await this.running;
    await this.look();
    return [...this.looks].map(([name, looks]) => summary(name, looks));
  }

  private async watch(): Promise<void> {
    while (!this.isOver) {
      await this.look();
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  private async look(): Promise<void> {
    const statuses = await this.rig.statuses();
    for (const { name, pid } of this.rig.processes.values()) {
      const status = statuses.get(name);
      // One that is too busy to answer is looked at again a second later.
      if (pid === undefined || (status === null && name !== 'venue')) continue;
      const lags = Object.values(status?.parts ?? {}).flatMap(({ lag = {} }) => Object.values(lag));
      const lag = lags.reduce((sum, one) => sum + one, 0);
      const list = this.looks.get(name) ?? [];
      this.looks.set(name, list);
      const heap = status?.memory === undefined ? null : status.memory.heapUsed / MEGABYTE;
      list.push({ atMs: performance.now(), lag, heap, ...useOf(pid) });
    }
  }
}

function useOf(pid: number): { memory: number; cpu: number } {
  const kilobytes = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // After the name, which may hold anything: fields 14 and 15 of the whole.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { memory: kilobytes / 1024, cpu: (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND };
}

/** Start and end are the means of a tenth each: one look says little of memory that is collected now and then. */
function summary(name: string, looks: readonly Look[]): Watched {
  const tenth = Math.max(1, Math.floor(looks.length / 10));
  const [first, last] = [looks[0]!, looks[looks.length - 1]!];
  const mean = (part: readonly Look[], of: 'memory' | 'lag'): number =>
    part.reduce((sum, look) => sum + look[of], 0) / part.length;
  return {
    name,
    heapStart: least(looks.slice(0, tenth)),
    heapEnd: least(looks.slice(-tenth)),
    memoryStart: mean(looks.slice(0, tenth), 'memory'),
    memoryEnd: mean(looks.slice(-tenth), 'memory'),
    cpu: looks.length < 2 ? Number.NaN : (last.cpu - first.cpu) / ((last.atMs - first.atMs) / 1_000),
    lagStart: mean(looks.slice(0, tenth), 'lag'),
    lagMost: Math.max(...looks.map(({ lag }) => lag)),
    lagEnd: last.lag,
  };
}

function least(looks: readonly Look[]): number | null {
  const heaps = looks.flatMap(({ heap }) => (heap === null ? [] : [heap]));
  return heaps.length === 0 ? null : Math.min(...heaps);
}
