import type { ChildProcess } from 'node:child_process';

export type StackKind = 'kafka' | 'postgres' | 'redis' | 'toxiproxy';

export interface HostAndPort {
  host: string;
  port: number;
}

/** What stack.json says; a kind that was not started is absent. */
export interface StackAddresses {
  kafka?: { brokers: string[]; viaToxiproxy: string[] };
  postgres?: {
    hosts: HostAndPort[];
    viaToxiproxy: HostAndPort[];
    superuser: string;
    password: string;
    /** REST API of each Patroni; `GET /primary` answers 200 on the primary only. */
    patroni: string[];
  };
  redis?: {
    sentinels: HostAndPort[];
    /** Name of the master, for Sentinel clients. */
    name: string;
    nodes: HostAndPort[];
    viaToxiproxy: { sentinels: HostAndPort[]; nodes: HostAndPort[] };
  };
  toxiproxy?: { api: string; proxies: string[] };
  options: { dir: string; only: StackKind[]; basePort: number; brokers: number };
  supervisor: number;
  /** Process ids as of the last command; `status` has the present ones. */
  processes: Record<string, number>;
  ready: boolean;
}

export interface StackOptions {
  /** Folder of data and logs; default `.moon/stack`. */
  dir?: string;
  only?: StackKind[];
  /** First port of the block; 0 takes any free block. */
  basePort?: number;
  brokers?: 1 | 3;
  /** Brokers compile with C1 alone: a quicker start, at the price of slower code in the long run. */
  fast?: boolean;
  /** Throws the data of an earlier start away first. */
  clean?: boolean;
  /** Lives on when this process ends. */
  detached?: boolean;
  onEvent?: (text: string) => void;
}

export interface NodeStatus {
  state: 'running' | 'paused' | 'down';
  pid?: number;
  restarts?: number;
  role?: string;
}

interface InFolder {
  dir?: string;
}

export const KINDS: StackKind[];
export const DEFAULT_FOLDER: string;
export const DEFAULT_BASE_PORT: number;
export function controlSocket(dir: string): string;
export function start(
  options?: StackOptions,
): Promise<StackAddresses & { times: Record<StackKind, number>; supervisor: ChildProcess }>;
export function stop(dir?: string, options?: { clean?: boolean }): Promise<void>;
export function addresses(dir?: string): StackAddresses;
export function status(dir?: string): Promise<{ ready: boolean; nodes: Record<string, NodeStatus> }>;
export function ready(dir?: string): Promise<void>;
export function kill(name: string, options?: InFolder & { keepDown?: boolean }): Promise<void>;
export function pause(name: string, options?: InFolder): Promise<void>;
export function resume(name: string, options?: InFolder): Promise<void>;
export function restart(name: string, options?: InFolder): Promise<void>;
