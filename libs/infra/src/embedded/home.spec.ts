import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { homeOf, prepareHome } from './home';

/** An account that owns nothing of what the tests make. */
const STRANGER = { uid: 65_534, gid: 65_534 };

describe('the place of the server', () => {
  let dataDir: string;

  beforeEach(() => {
    dataDir = join(mkdtempSync(join(tmpdir(), 'moon-home-')), 'data');
    mkdirSync(dataDir, { mode: 0o700 });
  });
  afterEach(() => rmSync(join(dataDir, '..'), { recursive: true, force: true }));

  const modeOf = (path: string): number => statSync(path).mode & 0o777;

  it('is below the data directory, untouched, when the server runs as this account', () => {
    expect(prepareHome(dataDir, null)).toBe(join(dataDir, 'postgres'));
    expect(modeOf(dataDir)).toBe(0o700);
  });

  it('is below the data directory, which lets others pass, when the server runs as another account', () => {
    expect(prepareHome(dataDir, STRANGER)).toBe(join(dataDir, 'postgres'));
    expect(modeOf(dataDir)).toBe(0o711);
    expect(modeOf(join(dataDir, '..'))).toBe(0o711);
  });

  it('stays where the data directory remembers it', () => {
    writeFileSync(join(dataDir, 'postgres.location'), '/elsewhere/postgres\n');
    chmodSync(dataDir, 0o700);
    expect(homeOf(dataDir)).toBe('/elsewhere/postgres');
    expect(prepareHome(dataDir, STRANGER)).toBe('/elsewhere/postgres');
    expect(modeOf(dataDir)).toBe(0o700);
  });

  it('is told without making anything', () => {
    expect(homeOf(dataDir)).toBe(join(dataDir, 'postgres'));
    expect(() => readFileSync(join(dataDir, 'postgres.location'))).toThrow(/ENOENT/);
  });
});
