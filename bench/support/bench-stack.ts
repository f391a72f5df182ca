import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kafkaSchema, type KafkaSettings } from '@moon/infra';
import { Value } from '@sinclair/typebox/value';
import type { StackAddresses, StackKind } from '../../scripts/stack/api.cjs';
import { stackApi } from '../../tests/faults/cluster/root';
import { BenchRefused } from '../figure';

/**
 * Runs something on real servers: those of the folder that STACK_DIR names, else its own, which are gone afterwards.
 *
 * @param fast brokers compile with C1 alone: a quicker start, and none of C2's work beside what is measured
 * @throws BenchRefused there are none, and none can be started
 */
export async function onStack<T>(
  only: StackKind[],
  work: (addresses: StackAddresses) => Promise<T>,
  fast = false,
): Promise<T> {
  const named = process.env.STACK_DIR;
  if (named !== undefined) return work(addressesIn(named, only));
  const dir = mkdtempSync(join(tmpdir(), 'moon-bench-'));
  try {
    const addresses = await refusing(() => stackApi.start({ dir, only, basePort: 0, brokers: 3, fast }));
    try {
      return await work(addresses);
    } finally {
      await stackApi.stop(dir, { clean: true });
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** What starts servers, with one line in place of its failure. @throws BenchRefused */
export async function refusing<T>(start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (error) {
    const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    const advice = 'install the servers with npm run stack, or name the folder of a running stack in STACK_DIR';
    throw new BenchRefused(`It needs real servers, and has none: ${line} (${advice}).`);
  }
}

function addressesIn(dir: string, only: readonly StackKind[]): StackAddresses {
  let addresses: StackAddresses;
  try {
    addresses = stackApi.addresses(dir);
  } catch (error) {
    throw new BenchRefused(`STACK_DIR: ${(error as Error).message}`);
  }
  const missing = only.filter((kind) => kind !== 'toxiproxy' && !addresses[kind]);
  if (missing.length > 0) throw new BenchRefused(`STACK_DIR: the stack in ${dir} runs no ${missing.join(' and no ')}.`);
  return addresses;
}

/** Settings of the platform's clients for these brokers. @param patience multiplies their time-outs */
export function kafkaOf({ kafka }: StackAddresses, patience = 1): KafkaSettings {
  if (!kafka) throw new Error('The stack runs no Kafka.');
  const { brokers } = kafka;
  const copies = { replicationFactor: Math.min(3, brokers.length), minInSyncReplicas: Math.min(2, brokers.length) };
  const settings = Value.Default(kafkaSchema, { brokers, clientId: 'moon-bench', ...copies }) as KafkaSettings;
  const { sessionTimeoutMs, requestTimeoutMs, connectionTimeoutMs } = settings;
  return {
    ...settings,
    sessionTimeoutMs: sessionTimeoutMs * patience,
    requestTimeoutMs: requestTimeoutMs * patience,
    connectionTimeoutMs: connectionTimeoutMs * patience,
  };
}
