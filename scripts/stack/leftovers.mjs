// What a stack leaves in its folder, and how it is thrown away: what it made itself, nothing else that lies there.
import { existsSync, readdirSync, rmSync, rmdirSync } from 'node:fs';
import { controlSocket } from './api.cjs';

/** After this no stack runs there, for whoever asks. */
export function forget({ root, state }) {
  for (const path of [state, `${state}.new`, controlSocket(root)]) rmSync(path, { force: true });
}

/** Throws away what the servers keep. */
export function removeData({ root, reachable, nodes, postgres, layout }) {
  for (const path of [nodes, postgres, layout]) rmSync(path, { recursive: true, force: true });
  if (reachable !== root) rmSync(reachable, { recursive: true, force: true });
}

/** A stack was started in this folder once. */
export const wasStackHere = ({ lock }) => existsSync(lock);

/** Throws away all that a stack which has ended left, and the folder, if nothing else is in it. */
export function removeAll(paths) {
  forget(paths);
  removeData(paths);
  for (const path of [paths.logs, paths.lock]) rmSync(path, { recursive: true, force: true });
  if (existsSync(paths.root) && readdirSync(paths.root).length === 0) rmdirSync(paths.root);
}
