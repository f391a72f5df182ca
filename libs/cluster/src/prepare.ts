import { OWNER_ROLE, prepareStore, upgradeStore, type PreparedStore } from '@moon/infra';
import type { ClusterConfig } from './config';
import { explained, loginOf, passwordsOf } from './store-access';

/**
 * Makes the store what this version's processes need: with the superuser's password roles, database and schema, with the
 * owner's alone the schema. A second time changes nothing.
 *
 * @param config passed by `checkPasswords` as settings to prepare with
 * @throws Error that says what is in the way, and what to do
 */
export async function prepareClusterStore(config: Pick<ClusterConfig, 'postgres'>): Promise<PreparedStore> {
  const { superuser, password, ownerPassword, database } = config.postgres;
  try {
    if (password === '' && ownerPassword !== undefined)
      return await upgradeStore(loginOf(config, OWNER_ROLE, ownerPassword), database);
    return await prepareStore(loginOf(config, superuser, password), passwordsOf(config), database);
  } catch (error) {
    throw explained(error, config);
  }
}
