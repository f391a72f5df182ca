import type { InputSource } from '@moon/kernel';
import type { ReaderCounts } from './data-quality';
import type { BacktestConfig } from './config';
import type { Range } from './plan';

/** What a backtest reads: opened by the app that knows files and stores. */
export interface BacktestInputs {
  source: InputSource;
  /** Base names of the files, or the name of the run in the store. */
  names: readonly string[];
  /** Instruments that the data price, and those whose funding they hold. */
  instruments: readonly string[];
  fundingInstruments: readonly string[];
  /** First and last instant of the data within and without the range, epoch ms; null when there is no usable row. */
  firstAt: number | null;
  lastAt: number | null;
  /** Time of the first event that will be given, warm-up included, epoch ms. */
  startsAt: number;
  /** SHA-256 of the input, hexadecimal; asked for at the end. */
  fingerprint(): string;
  /** What the reader has set aside; asked for at the end. */
  reader(): ReaderCounts;
  close(): Promise<void>;
}

/** What is to be opened. */
export interface InputRequest {
  data: BacktestConfig['data'];
  range: Range;
  warmUpMs: number;
  ticks: BacktestConfig['ticks'];
  /** What relative paths start from. */
  folder: string;
}

/** Opens the data of a backtest; throws an Error that names the file, or the run, and what is wrong with it. */
export type OpenInputs = (request: InputRequest) => Promise<BacktestInputs>;
