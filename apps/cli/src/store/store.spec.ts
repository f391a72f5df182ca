import { findEmbeddedPostgres, lockDataDir } from '@moon/infra';
import { CommandLine, until } from '../testing/command-line';
import { FakePlatform } from '../testing/platform';

describe('the store of a command', () => {
  let line: CommandLine;

  beforeEach(() => {
    line = new CommandLine();
  });
  afterEach(() => line.remove());

  it('is the server of the running platform, which it leaves running', async () => {
    const platform = await FakePlatform.start(line.dataDir);
    await platform.say('price.tick');
    expect(await line.moon('events')).toMatchObject({ code: 0, out: [expect.stringContaining('price.tick')] });
    await platform.say('price.tick');
    expect(await platform.store.lastSeq()).toBe(2);
    await platform.stop();
  }, 60_000);

  it('is a server of its own when no platform runs, gone when the command ends', async () => {
    const platform = await FakePlatform.start(line.dataDir);
    await platform.say('price.tick');
    await platform.stop();
    expect(await findEmbeddedPostgres(line.dataDir)).toBeNull();
    expect(await line.moon('events')).toMatchObject({ code: 0, out: [expect.stringContaining('price.tick')] });
    expect(await findEmbeddedPostgres(line.dataDir)).toBeNull();
    lockDataDir(line.dataDir).release();
  }, 60_000);

  it('waits for another command, and says for which', async () => {
    await (await FakePlatform.start(line.dataDir)).stop();
    const lock = lockDataDir(line.dataDir, 'moon import');
    const command = line.start(['runs']);
    await until(() => command.said.err.length > 0);
    expect(command.said.err).toEqual([`Waiting for moon import (process ${process.pid}) to finish …`]);
    lock.release();
    expect(await command.ended).toMatchObject({
      code: 0,
      out: [expect.stringMatching(/^run/), expect.stringMatching(/^synthetic/)],
    });
  }, 60_000);

  it('gives up waiting when it is interrupted', async () => {
    await (await FakePlatform.start(line.dataDir)).stop();
    const lock = lockDataDir(line.dataDir, 'moon import');
    const command = line.start(['runs']);
    await until(() => command.said.err.length > 0);
    command.interrupt();
    expect(await command.ended).toMatchObject({ code: 1 });
    lock.release();
  }, 60_000);

  it('is never made by a command that only looks', async () => {
    for (const argv of [
      ['events'],
      ['trace', 'ab'],
      ['portfolio'],
      ['dead-letters', 'list'],
      ['runs'],
      ['halt', '--global', '--reason', 'x'],
    ]) {
      expect(await line.moon(...argv)).toMatchObject({
        code: 1,
        out: [],
        err: [expect.stringMatching(/^moon: There are no data in .*npm start/)],
      });
    }
  });

  it('chooses the run that was opened last, and imported logs after all others', async () => {
    const platform = await FakePlatform.start(line.dataDir);
    const chosen = async (...argv: string[]): Promise<string | undefined> =>
      /Run ([\w-]+)/.exec((await line.moon('events', ...argv)).err.join())?.[1];
    await platform.registry.openRun({ mode: 'live' });
    expect(await chosen()).toBe('live');
    await platform.registry.openRun({ mode: 'synthetic' });
    await platform.registry.openRun({ mode: 'imported', name: 'winter' });
    expect(await chosen()).toBe('synthetic');
    expect(await chosen('--run', 'win')).toBe('winter');
    await platform.stop();
  }, 60_000);
});
