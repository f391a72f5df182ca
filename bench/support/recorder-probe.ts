import { appendFileSync } from 'node:fs';
import { EventArchive } from '@moon/infra';
import { monotonicNs } from './stamps';

/** Names the file that is written. */
export const PROBE_FILE = 'BENCH_ARCHIVED_FILE';
const WRITE_MS = 500;
const STAMP = /^(\w+):(\d+)$/;

/**
 * Loaded into the recorder's process before its program: writes a line for every message that is archived (committed, also on the
 * synchronous standby), with its phase, its topic and the milliseconds since its publisher was called, which its stamp says.
 */
function main(): void {
  const file = process.env[PROBE_FILE];
  if (file === undefined) throw new Error(`${PROBE_FILE} is not set: nothing would keep what the probe sees.`);
  let lines: string[] = [];
  const write = (): void => {
    if (lines.length > 0) appendFileSync(file, lines.join(''));
    lines = [];
  };
  // Bound to nothing: it is called with each archive as its `this`.

  const append = EventArchive.prototype.append;
  EventArchive.prototype.append = async function (messages): ReturnType<EventArchive['append']> {
    const archived = await append.call(this, messages);
    const now = monotonicNs();
    for (const { topic, producer } of messages) {
      const [, phase, stamp] = STAMP.exec(producer ?? '') ?? [];
      if (phase !== undefined && stamp !== undefined)
        lines.push(`${phase} ${topic} ${Number(now - BigInt(stamp)) / 1e6}\n`);
    }
    return archived;
  };
  setInterval(write, WRITE_MS).unref();
  process.on('exit', write);
}

if (process.env[PROBE_FILE] !== undefined) main();
