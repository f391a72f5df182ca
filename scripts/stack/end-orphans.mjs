// Ends what is left of a stack without supervisor: `end-orphans.mjs FOLDER [--clean]`.
import { paths as pathsOf } from './layout.mjs';
import { forget, removeData } from './leftovers.mjs';
import { sweep } from './sweep.mjs';

const [folder, clean] = process.argv.slice(2);
const paths = pathsOf(folder);
await sweep([paths.nodes, paths.postgres]);
forget(paths);
if (clean === '--clean') removeData(paths);
