export { parseJob } from './contract/job.ts';
