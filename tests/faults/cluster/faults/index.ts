import { appFaults } from './apps';
import { brokerFaults } from './brokers';
import { cacheFaults } from './cache';
import type { Fault } from './fault';
import { forceCloseFaults } from './force-close';
import { haltFaults } from './halts';
import { messageFaults } from './messages';
import { networkFaults } from './network';
import { storeFaults } from './store';

/** Everything that is broken on purpose, by name. */
export const FAULTS: readonly Fault[] = [
  ...brokerFaults,
  ...storeFaults,
  ...appFaults,
  ...haltFaults,
  ...forceCloseFaults,
  ...messageFaults,
  ...networkFaults,
  ...cacheFaults,
];
