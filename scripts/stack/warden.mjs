// Holds the lock of a stack's folder (flock started it) and outlives its supervisor: when the pipe from the supervisor
// closes, however that died, it ends every server that is left, says that no stack runs any more, and only then gives the
// lock back.
import { paths as pathsOf } from './layout.mjs';
import { forget } from './leftovers.mjs';
import { sweep } from './sweep.mjs';

const paths = pathsOf(process.argv[2]);
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => undefined);

process.stdout.write('locked\n');
process.stdin.resume();
process.stdin.on('error', () => undefined);
process.stdin.on('close', () => {
  sweep([paths.nodes, paths.postgres]).then(
    () => {
      forget(paths);
      process.exit(0);
    },
    (error) => {
      process.stderr.write(`${error.message}\n`);
      process.exit(1);
    },
  );
});
