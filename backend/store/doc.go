// Package store keeps jobs on disk: it is the journal, the queue and the
// records of Telltale in one Badger database, with the logs beside it as plain
// files.
//
//	Append --encode--> in --> writer: decide, one transaction, sync --> answer
//	                                                                \-> fold --> Tail, Claim, Live
//
// Everything that changes passes one goroutine, the writer. It takes what is
// waiting, decides each change against the table of live jobs in memory
// (compare-and-append on the revision, the lifecycle, idempotency keys), writes
// all of it as one synced transaction, answers the callers and only then shows
// it to readers. So nothing is announced that a crash could take back, and
// many callers share one sync.
//
// Invariants: the feed's numbers have no gap; a live job is in memory and its
// newest event is either in the kept feed or beside its l/ key; a final job is
// under j/ and in every index; the number of final records is counted in the
// same transaction, so that a history that shrinks on its own is noticed.
//
// On failure: a commit error stops the store from accepting work
// ([StoppedError]); a disk that runs full refuses new jobs while running ones
// can still end ([job.FullError]); a directory that is locked, newer, damaged
// or unusable is refused with a typed error and a hint before anything in it is
// touched. See the opening sequence in opening.go.
//
// On Windows the operating system's calls under Badger do not force writes to
// the disk: a killed process loses nothing there, a power cut may.
package store
