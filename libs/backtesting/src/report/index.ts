export type * from './report-input';
