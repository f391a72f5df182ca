import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dataDirHolder, DataDirInUse, DataDirUnusable, lockDataDir } from './data-lock';

const compiled = join(__dirname, '../../../../dist/libs/infra/src/embedded/data-lock.js');

/** Tries to take the lock in a process of its own; returns what it said. */
function tryElsewhere(dataDir: string, ending = ''): string {
  const script = `
    try {
      require(${JSON.stringify(compiled)}).lockDataDir(${JSON.stringify(dataDir)});
      console.log('locked');
      ${ending}
    } catch (error) { console.log(error.message); }`;
  return spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' }).stdout.trim();
}

describe('the lock of the data directory', () => {
  let dataDir: string;

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'moon-lock-'));
  });
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

  it('refuses a second instance with a message that says what to do', () => {
    const lock = lockDataDir(dataDir);
    const answer = tryElsewhere(dataDir);
    expect(answer).toContain(dataDir);
    expect(answer).toContain(`process ${process.pid}`);
    expect(answer).toContain('--data-dir');
    lock.release();
    expect(tryElsewhere(dataDir)).toBe('locked');
  });

  it('refuses a second lock in the same process', () => {
    const lock = lockDataDir(dataDir);
    expect(() => lockDataDir(dataDir)).toThrow(DataDirInUse);
    lock.release();
  });

  it('takes the lock of an instance that was killed', () => {
    expect(tryElsewhere(dataDir, "process.kill(process.pid, 'SIGKILL');")).toBe('locked');
    const lock = lockDataDir(dataDir);
    lock.release();
    expect(readdirSync(dataDir)).toEqual([]);
  });

  it('takes a lock whose process id belongs to another process by now', () => {
    writeFileSync(join(dataDir, 'moon.lock'), JSON.stringify({ pid: process.ppid, startedAt: '1' }));
    lockDataDir(dataDir).release();
  });

  it('takes a lock file that was half written', () => {
    writeFileSync(join(dataDir, 'moon.lock'), '{"pid":');
    lockDataDir(dataDir).release();
  });

  it('says what is wrong with a directory that is none', () => {
    const file = join(dataDir, 'file');
    writeFileSync(file, '');
    expect(dataDirHolder(file)).toBeNull();
    expect(() => lockDataDir(file)).toThrow(DataDirUnusable);
    expect(() => lockDataDir(file)).toThrow(`${file} cannot be used: a file is in its place`);
    expect(() => lockDataDir(join(file, 'below'))).toThrow('a part of the path is a file');
    expect(readdirSync(dataDir)).toEqual(['file']);
  });

  it('makes the directory when it is not there', () => {
    const below = join(dataDir, 'a', 'b');
    lockDataDir(below).release();
    expect(readdirSync(below)).toEqual([]);
  });
});
