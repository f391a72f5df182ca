import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { dataDirHolder, hasEmbeddedStore, pendingMigrations, type Run } from '@moon/infra';
import type { GlobalOptions, Io } from '../../../io';
import { plural } from '../../../output/text';
import { chooseRun, withRunLog } from '../../../store/run-log';
import { withStore, type Store } from '../../../store/store';
import { messageOf, note, ok, wrong, type Finding } from '../finding';
import { checkLog } from './log';
import { checkServerStarts } from './machine';

/** Logs that are looked through: those that were opened last. */
const LOGS = 3;

/** Who works on the data directory. */
export function checkLock(dataDir: string): Finding {
  const holder = dataDirHolder(dataDir);
  if (holder) {
    return ok(
      'lock',
      `${holder.isPlatform ? 'The platform is running' : `${holder.program} is at work`} (process ${holder.pid}).`,
    );
  }
  if (existsSync(join(dataDir, 'moon.lock')))
    return note('lock', 'The last instance did not end by itself; the next start takes its lock.');
  return ok('lock', 'No platform is running.');
}

/** The server, the schemas and the logs; with no store yet, whether one could be made. */
export async function checkStore(io: Io, global: GlobalOptions, dataDir: string): Promise<Finding[]> {
  if (!hasEmbeddedStore(dataDir)) return [await checkServerStarts()];
  const findings: Finding[] = [];
  try {
    await withStore(io, { global: { ...global, dataDir }, command: 'moon doctor' }, async (store) => {
      const whose =
        store.platformPid === null
          ? 'starts and answers'
          : `of the running platform (process ${store.platformPid}) answers`;
      findings.push(ok('database', `The PostgreSQL server ${whose}.`));
      const runs = await store.registry.listRuns();
      findings.push(ok('runs', `${plural(runs.length, 'run')} recorded.`));
      const named = global.run === undefined ? null : await chooseRun(store, global.run);
      for (const run of named ? [named] : runs) findings.push(...(await checkSchema(store, run)));
      const broken = new Set(findings.filter(({ status }) => status === 'wrong').map(({ check }) => check));
      for (const run of named ? [named] : runs.slice(0, LOGS)) {
        if (!broken.has(schemaOf(run))) findings.push(await checkRunLog(store, run));
      }
    });
  } catch (error) {
    findings.push(
      wrong(
        'database',
        messageOf(error),
        `Look into ${join(dataDir, 'postgres', 'server.log')}. When the data are beyond repair, move ${dataDir} away and start anew.`,
      ),
    );
  }
  return findings;
}

const schemaOf = ({ runId }: Run): string => `schema ${runId}`;

/** Only what is not as it should be; runs may be many. */
async function checkSchema({ access }: Store, run: Run): Promise<Finding[]> {
  try {
    const pending = await pendingMigrations(access, run.database, 'run');
    if (pending.length === 0) return [];
    return [
      note(
        schemaOf(run),
        `${plural(pending.length, 'migration')} to come: ${pending.join(', ')}.`,
        'The next start of the run brings it up to date.',
      ),
    ];
  } catch (error) {
    return [
      wrong(
        schemaOf(run),
        `Database ${run.database} cannot be used: ${messageOf(error)}`,
        'Restore it from a backup, or move the data directory away and start anew.',
      ),
    ];
  }
}

async function checkRunLog(store: Store, run: Run): Promise<Finding> {
  try {
    return await withRunLog(store, run, ({ events, inspection }) => checkLog(run.runId, events, inspection));
  } catch (error) {
    return wrong(
      `log ${run.runId}`,
      `It cannot be read: ${messageOf(error)}`,
      'Stop whatever works on the data directory, and try again.',
    );
  }
}
