import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dataDirOf, projectFolder } from './data-dir';

describe('the data directory', () => {
  const folder = mkdtempSync(join(tmpdir(), 'moon-dir-'));
  const deep = join(folder, 'a', 'b');
  beforeAll(() => mkdirSync(deep, { recursive: true }));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is the one that is named, from the current folder on', () => {
    expect(dataDirOf({ cwd: deep, env: { MOON_DATA_DIR: 'x' } }, 'named')).toBe(join(deep, 'named'));
    expect(dataDirOf({ cwd: deep, env: { MOON_DATA_DIR: '../x' } }, undefined)).toBe(join(folder, 'a', 'x'));
  });

  it('is the nearest .moon upwards, else that of the project', () => {
    expect(dataDirOf({ cwd: deep, env: {} }, undefined)).toBe(join(projectFolder(), '.moon'));
    mkdirSync(join(folder, '.moon'));
    expect(dataDirOf({ cwd: deep, env: {} }, undefined)).toBe(join(folder, '.moon'));
  });
});
