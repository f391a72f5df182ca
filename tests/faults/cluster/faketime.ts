import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const INSTALLED = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';

/** Debian's libfaketime, unpacked into the folder when the system has none: it moves the clock of one process. */
export function faketime(folder: string): { library: string; file: string; env: NodeJS.ProcessEnv } {
  const file = join(folder, 'faketime');
  const env = {
    FAKETIME_TIMESTAMP_FILE: file,
    // The file is looked at each time, else node never hears of a jump; timers go by the monotonic clock, which stays.
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
  };
  if (existsSync(INSTALLED)) return { library: INSTALLED, file, env };
  const unpacked = join(folder, 'libfaketime');
  const library = join(unpacked, INSTALLED);
  if (!existsSync(library)) {
    mkdirSync(unpacked, { recursive: true });
    execFileSync('apt-get', ['download', 'libfaketime'], { cwd: unpacked, stdio: 'ignore' });
    const [archive] = readdirSync(unpacked).filter((name) => name.endsWith('.deb'));
    if (!archive) throw new Error('apt-get downloaded no libfaketime.');
    execFileSync('dpkg', ['-x', join(unpacked, archive), unpacked]);
  }
  return { library, file, env };
}
