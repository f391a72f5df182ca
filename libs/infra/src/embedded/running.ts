import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { homeOf } from './home';
import { isRunning } from './process-info';
import { addressOf, asSuperuser, pathsIn, postmaster } from './places';
import type { Paths, ServerAddress } from './places';

/** The places of the server of a data directory that exists. */
function pathsOf(dataDir: string): Paths {
  return pathsIn(homeOf(resolve(dataDir)));
}

/** Whether a store was ever made in the data directory. Makes nothing. */
export function hasEmbeddedStore(dataDir: string): boolean {
  return existsSync(dataDir) && existsSync(pathsOf(dataDir).password);
}

/**
 * The server that works on the data directory now, for those who want to look at its data beside the platform that
 * owns it: it is neither started nor taken over, and stays when they leave. null when none answers.
 */
export async function findEmbeddedPostgres(dataDir: string): Promise<ServerAddress | null> {
  if (!hasEmbeddedStore(dataDir)) return null;
  const paths = pathsOf(dataDir);
  const found = postmaster(paths);
  if (!found || !isRunning(found.pid) || !Number.isInteger(found.port) || found.port < 1) return null;
  const address = addressOf(paths, found.port);
  try {
    await asSuperuser(address, (client) => client.query('SELECT 1'));
    return address;
  } catch (error) {
    // Starting or stopping just now, or another program has its port by now.
    if (isNotAnswering(error)) return null;
    throw error;
  }
}

/** 57P03: the server is starting up or shutting down; 57P01: it ended the session because it shuts down. */
const NOT_ANSWERING = new Set(['ECONNREFUSED', 'ECONNRESET', '57P03', '57P01']);

function isNotAnswering(error: unknown): boolean {
  return NOT_ANSWERING.has((error as { code?: string }).code ?? '') || /terminated|timeout/i.test(String(error));
}
