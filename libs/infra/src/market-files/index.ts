export { RowRefused, type MinuteVolume, type ResolvedInstrument, type ResolveInstrument } from './formats';
export type { LaneReport } from './file-lane';
export { MarketFileSource, venueOf, type MarketFile, type MarketFileOptions } from './market-file-source';
export { UnreadableFile } from './pieces';
export { type BadRow } from './row-reader';
export { isRawRecording } from './raw/raw-lines';
export { RawRecording, type RawRecordingOptions, type RawReport } from './raw/raw-recording';
export type { SequenceGap } from './raw/raw-event';
