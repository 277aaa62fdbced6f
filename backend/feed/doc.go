// Package feed tells readers what happened to jobs, in the order it happened.
//
//	journal ── Publish ──> Hub ──┬── Mailbox   long-poll, followers, the window
//	                             ├── shards    server-sent events on Linux sockets
//	                             └── couriers  server-sent events on any other connection
//
// A [Hub] is told every change once, in the order of Seq, after it is safe on
// disk. It hands the change to those who asked for it and wakes nobody else.
// Nobody waits for a slow reader and nobody lies to it: what a reader has not
// taken yet is conflated, so that of each job only the newest change waits. A
// newer change goes to the back and delivery is from the front. Hence the
// invariant everything else rests on:
//
//	every change that waits for a reader has a greater Seq than every change
//	that was delivered to it
//
// so a reader that is cut off and resumes after the last Seq it saw misses the
// middle, never the end, of any job. Replacing a waiting change in its old
// place would break this.
//
// Readers of the topic jobs get a change that is not Minor at once and Minor
// ones at most once a second for each job. A Minor change that is held back
// goes out early when a later change would overtake it: order before thrift.
//
// A stream that fell so far behind that even the newest changes do not fit, or
// that took nothing for ten seconds, is closed; it resumes where it was.
// A fault (panic) while serving a reader closes that reader, not the process.
package feed
