import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AnyEvent } from '@moon/events';
import { PlatformProcess } from '../support/platform';
import { Child, lastJson } from '../support/processes';
import { gaps, storedLog } from '../support/stored-run';

const PLANTED = join(__dirname, '..', 'fixtures', 'agents', 'planted.js');
const BAD = { busy: { busyMs: 200 }, throws: { throwsOnTick: 3 }, hangs: { hangsOnTick: 5 } };
const FIXED = { busy: {}, throws: {}, hangs: {} };

interface Letter {
  handler: string;
  handlerKey: string;
  eventId: string;
  reason: string;
}

// A process starts in a second or two; on a machine that is busy with other suites it may take many more.
jest.setTimeout(90_000);

describe('A session with bad agents', () => {
  const folder = mkdtempSync(join(tmpdir(), 'moon-bad-agents-'));
  const settings = join(folder, 'settings.json');
  const dataDir = join(folder, 'data');
  const started: PlatformProcess[] = [];
  let letters: Letter[] = [];

  const moduleOf = (name: string): string => join(folder, `${name}.js`);
  /** Each agent is a user's module, and so has a thread of its own. */
  let address = '';
  const start = async (faults: Record<string, object>): Promise<PlatformProcess> => {
    for (const [name, fault] of Object.entries(faults)) {
      const config = JSON.stringify({ agents: [{ name: `agent/${name}`, ...fault }] });
      writeFileSync(
        moduleOf(name),
        `module.exports.createAgents = () => require(${JSON.stringify(PLANTED)}).createAgents(${config});`,
      );
    }
    const platform = new PlatformProcess(['--config', settings, '--data-dir', dataDir, '--port', '0']);
    started.push(platform);
    address = await platform.ready();
    return platform;
  };
  const moon = async (...args: string[]): Promise<unknown> => {
    const ended = await new Child('apps/cli/src/main.js', [...args, '--data-dir', dataDir, '--json']).ended;
    if (ended.code !== 0) throw new Error(`moon ${args.join(' ')} ended with ${ended.code}:\n${ended.stderr}`);
    return lastJson(ended);
  };
  const events = async (): Promise<AnyEvent[]> => {
    const rows = await storedLog(dataDir, 'synthetic');
    expect(gaps(rows)).toEqual([]);
    return rows.map(({ event }) => event);
  };

  beforeAll(() =>
    writeFileSync(settings, JSON.stringify({ userAgents: Object.keys(BAD).map(moduleOf), agentTimeoutMs: 700 })),
  );
  afterAll(async () => {
    await Promise.all(started.filter(({ child }) => child.isRunning).map((platform) => platform.kill()));
    rmSync(folder, { recursive: true, force: true });
  });

  it('[AGT-2] [AGT-3] [AGT-6] [SYS-5] shows each of them: lag in events and metrics, time-outs, errors and dead letters; the others go on, and Ctrl-C ends it', async () => {
    const platform = await start(BAD);
    await platform.said(/"attempts":3.*agent timed out|agent timed out.*"attempts":3/);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const served = await (await fetch(`${address}/metrics`)).text();
    const { ended } = await platform.interrupt();
    expect(ended.code).toBe(0);
    const log = await events();
    const metric = (name: string, agent: string): number =>
      Number(new RegExp(`^${name}\\{agent="${agent}",.*\\} (.*)$`, 'm').exec(served)?.[1]);
    // Those in threads of their own that are slow, against one that is not.
    expect(metric('moon_agent_lag_seconds', 'agent/busy')).toBeGreaterThan(
      metric('moon_agent_lag_seconds', 'agent/chart'),
    );
    expect(metric('moon_agent_handled_total', 'agent/chart')).toBeGreaterThan(0);
    expect(metric('moon_agent_failures_total', 'agent/throws')).toBeGreaterThan(0);
    const of = <T extends AnyEvent['type']>(type: T) =>
      log.filter((event): event is Extract<AnyEvent, { type: T }> => event.type === type);
    expect(of('agent.lagging').map(({ data }) => data.agent)).toContain('agent/busy');
    expect(of('agent.timeout').map(({ data }) => data.agent)).toContain('agent/hangs');
    expect(of('agent.error').map(({ data }) => data.agent)).toContain('agent/throws');
    const skipped = of('event.skipped').map(({ data }) => `${data.handler} ${data.reason}`);
    expect(skipped).toEqual(expect.arrayContaining(['agent/throws error', 'agent/hangs timeout']));
    // The built-in agents, which live in another thread, have heard every minute.
    expect(of('inference.requested').length).toBeGreaterThan(0);
    letters = ((await moon('dead-letters', 'list')) as { letters: Letter[] }).letters;
    expect(letters.map(({ handler }) => handler)).toEqual(expect.arrayContaining(['agent/throws', 'agent/hangs']));
  });

  it('[AGT-3] delivers a dead letter again when an operator asks for it after the fix', async () => {
    const letter = letters.find(({ handler }) => handler === 'agent/throws');
    if (!letter) throw new Error('There is no dead letter of agent/throws.');
    await moon('dead-letters', 'replay', letter.eventId, '--handler', letter.handler);
    const platform = await start(FIXED);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const { ended } = await platform.interrupt();
    expect(ended.code).toBe(0);
    const log = await events();
    const command = log.find(({ type }) => type === 'operator.command');
    const replayed = log.find(({ type }) => type === 'event.replayed');
    expect(replayed?.causationId).toBe(command?.id);
    const heard = log.filter(({ causationId, source }) => causationId === letter.eventId && source === letter.handler);
    expect(heard.map(({ type }) => type)).toEqual(['signal.generated']);
    const left = ((await moon('dead-letters', 'list')) as { letters: Letter[] }).letters;
    expect(left.some(({ eventId, handler }) => eventId === letter.eventId && handler === letter.handler)).toBe(false);
  });
});
