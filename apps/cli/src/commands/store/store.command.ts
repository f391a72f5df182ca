import type { Command } from 'commander';
import { prepareClusterStore } from '@moon/cluster';
import type { PreparedStore, RoleOutcome } from '@moon/infra';
import { addClusterOptions, clusterConfigOf, type ClusterOptions } from '../../cluster/settings';
import type { Io } from '../../io';
import { plural } from '../../output/text';

export function addStoreCommand(program: Command, io: Io): void {
  const command = program.command('store').description('the event store of a deployment: makes it ready for processes');
  const preparing = command
    .command('prepare')
    .description('makes roles, database and schema what this version needs; again, it changes nothing')
    .addHelpText(
      'after',
      '\nWith postgres.password (of the superuser) it makes the roles, with postgres.ownerPassword and postgres.appPassword, the' +
        '\ndatabase and the schema. With postgres.ownerPassword and no superuser it brings the schema up to date. The processes' +
        '\nneed postgres.appPassword alone. Exit codes: 0 done, 1 not done.',
    )
    .action(async (_options, self: Command) => prepare(io, self.optsWithGlobals<ClusterOptions>()));
  addClusterOptions(preparing);
}

async function prepare(io: Io, options: ClusterOptions): Promise<void> {
  const config = clusterConfigOf(io, options, true);
  const prepared = await prepareClusterStore(config);
  if (options.json) io.out(JSON.stringify(prepared));
  else for (const line of linesOf(prepared)) io.out(line);
}

const ROLE_TEXTS: Record<RoleOutcome, string> = {
  made: 'made',
  kept: 'is there, with this password',
  'password set': 'was there with another password, and has this one now',
};

function linesOf({ database, databaseOutcome, roles, migrations }: PreparedStore): string[] {
  const schema = migrations.length === 0 ? 'is the newest one' : `${plural(migrations.length, 'migration')} ran`;
  return [
    ...(roles === null
      ? []
      : [`Role moon_owner: ${ROLE_TEXTS[roles.owner]}.`, `Role moon_app: ${ROLE_TEXTS[roles.app]}.`]),
    `Database ${database}: ${databaseOutcome === 'made' ? 'made' : 'is there'}.`,
    `Schema: ${schema}${migrations.length === 0 ? '' : ` (${migrations.join(', ')})`}.`,
  ];
}
