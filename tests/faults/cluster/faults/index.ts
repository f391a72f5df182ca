import { appFaults } from './apps';
import { brokerFaults } from './brokers';
import { cacheFaults } from './cache';
import type { Fault } from './fault';
import { messageFaults } from './messages';
import { networkFaults } from './network';
import { storeFaults } from './store';

/** Everything that is broken on purpose, by name. */
export const FAULTS: readonly Fault[] = [
  ...brokerFaults,
  ...storeFaults,
  ...appFaults,
  ...messageFaults,
  ...networkFaults,
  ...cacheFaults,
];
