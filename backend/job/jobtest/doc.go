// Package jobtest is the conformance suite for what keeps jobs: every
// implementation of job.Journal, job.Queue and job.Records must pass [Suite],
// in memory, on disk, and on disk with a close and reopen after every step.
//
// The suite says what the seams promise and nothing about how: it compares with
// an oracle of maps and slices that is too simple to be wrong. It is for tests
// only and no part of the product imports it.
package jobtest
