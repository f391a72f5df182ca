export { jobIdOf, QUEUES } from './job-id';
export type { QueueName } from './job-id';
export { JobQueues, JobRefused } from './job-queues';
export type { JobOutcome, JobProcessor, JobView, RunningJob } from './job-queues';
export { QueuesModule } from './queues.module';
export type { QueuesOptions } from './queues.module';
