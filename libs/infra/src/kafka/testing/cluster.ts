import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Value } from '@sinclair/typebox/value';
import * as stack from '../../../../../scripts/stack/api.cjs';
import { kafkaSchema, type KafkaSettings } from '../kafka-config';

/** Real brokers of this test alone, or those of the stack in the folder that STACK_DIR names. */
export interface TestCluster {
  brokers: readonly string[];
  settings: (changes?: Partial<KafkaSettings>) => KafkaSettings;
  /** SIGKILL; down until `revive`. */
  kill: (broker: number) => Promise<void>;
  revive: (broker: number) => Promise<void>;
  stop: () => Promise<void>;
}

export async function startCluster(brokers: 1 | 3): Promise<TestCluster> {
  const named = process.env.STACK_DIR;
  const dir = named ?? mkdtempSync(join(tmpdir(), 'moon-kafka-'));
  const { kafka } =
    named === undefined
      ? await stack.start({ dir, only: ['kafka'], basePort: 0, brokers, fast: true })
      : stack.addresses(dir);
  const addresses = kafka!.brokers;
  const base = {
    brokers: addresses,
    clientId: 'moon-test',
    replicationFactor: Math.min(3, addresses.length),
    minInSyncReplicas: Math.min(2, addresses.length),
    // Loaded machines: what a test waits for is a condition, never this.
    connectionTimeoutMs: 3000,
  };
  return {
    brokers: addresses,
    settings: (changes = {}) => Value.Default(kafkaSchema, { ...base, ...changes }) as KafkaSettings,
    kill: (broker) => stack.kill(`kafka-${broker}`, { dir, keepDown: true }),
    revive: (broker) => stack.restart(`kafka-${broker}`, { dir }),
    stop: async () => {
      if (named !== undefined) return;
      await stack.stop(dir);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
