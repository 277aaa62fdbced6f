package job

import (
	"context"
	"io"
	"time"
)

// Key makes a trigger idempotent: the journal accepts a name once. Fingerprint
// tells one request from another; the same name with another fingerprint is a
// *KeyReusedError. The zero Key asks for nothing.
type Key struct {
	Name        string
	Fingerprint string
}

// Change is a decision to be kept: the job as it will be, and the revision it
// was decided on (0 for a new job). Next.Rev is Want+1.
type Change struct {
	Want Rev
	Next Job
	Key  Key // only with Want 0
}

// Journal keeps the one order of changes. All methods may be called at once.
type Journal interface {
	// Append keeps a change if the job is still at the revision it was decided
	// on, and returns when it is safe on disk. It returns a *ConflictError when
	// somebody else's change came first, a *TransitionError when the lifecycle
	// forbids it, a *KeyReusedError, or a *FullError. The same key with the same
	// fingerprint again returns the first event and repeated true.
	Append(ctx context.Context, c Change) (e Event, repeated bool, err error)
	// Keyed is the first event of the job that used the key, and found true; not
	// found when nobody did, or a *KeyReusedError.
	Keyed(ctx context.Context, k Key) (e Event, found bool, err error)
	// Last is the newest event of a job, or a *NotFoundError.
	Last(ctx context.Context, id ID) (Event, error)
	// Tail calls fn for every change after the cursor, in order, each once, and
	// then for every new one as it is kept, until ctx ends or fn fails; it
	// returns why. A cursor that is no longer kept is a *GoneError.
	Tail(ctx context.Context, from Cursor, fn func(Event) error) error
	// Since is what Tail would hand out now, without waiting: the changes after
	// the cursor, at most limit of them, or a *GoneError.
	Since(ctx context.Context, from Cursor, limit int) ([]Event, error)
	// Head is the place after the newest change.
	Head(ctx context.Context) (Cursor, error)
}

// Queue hands out queued jobs, first come first served within a lane. It hands
// out at least once: owning a Unit is not the right to change the job, only a
// successful Append is.
type Queue interface {
	// Claim waits until a queued job of the lane is due (its NotBefore has come)
	// and hands it out. It returns nil when the lane holds no unclaimed queued
	// job at all, also none that is due later; or ctx's error.
	Claim(ctx context.Context, lane string) (Unit, error)
	// Lanes names the lanes that hold queued jobs.
	Lanes(ctx context.Context) ([]string, error)
}

// Lane is the name of the queue a job stands in: jobs of one action and target
// run in the order they came, but for those that rest between two attempts.
func (j Job) Lane() string { return j.Action + "/" + j.Target }

// Unit is a queued job in somebody's hands.
type Unit interface {
	// Event is the job as it was handed out.
	Event() Event
	// Done gives the unit up for good, after the final event was written or
	// when another owner has the job.
	Done()
	// Release puts the unit back, to be handed out again if the job is queued.
	Release()
}

// Filter chooses records. Empty fields choose everything; the values of one
// field are alternatives, the fields must all hold.
type Filter struct {
	Actions []string
	Targets []string
	States  []State
	By      []string
	Since   time.Time // created at or after
	Until   time.Time // created before
	Text    string    // found in title, summary, phase or error, ignoring case
}

// Page is a part of a listing, newest first. Next is what to pass as after to
// read on; "" at the end. Head is the feed's place when the page was read.
type Page struct {
	Events []Event
	Next   string
	Head   Cursor
}

// Records is the read side. All methods may be called at once.
type Records interface {
	// Get is the newest event of a job, or a *NotFoundError.
	Get(ctx context.Context, id ID) (Event, error)
	// List is one page of records, newest first, after is "" or the Next of the
	// page before; limit is 1 to 1000. A bad after is an *InvalidCursorError.
	List(ctx context.Context, f Filter, after string, limit int) (Page, error)
	// Live is every job that is not final, in the order of Seq, and the place
	// the feed had at that moment.
	Live(ctx context.Context) ([]Event, Cursor, error)
	// Prune removes final records that a rule of keep no longer covers, with
	// their logs and keys, and returns how many. Live jobs are never removed.
	Prune(ctx context.Context, now time.Time, keep func(action string) Keep) (int, error)

	// AppendLog adds lines to a job's log and returns what it holds now; it sets
	// N of the lines it is given.
	AppendLog(ctx context.Context, id ID, lines []Line) (LogStat, error)
	// ReadLog is at most limit kept lines from line number from (1 is the
	// first). A job without a log has no lines; no record is a *NotFoundError.
	ReadLog(ctx context.Context, id ID, from int64, limit int) (LogPart, error)
	// OpenLog is the log as plain text, a line feed after each line, and its
	// length in bytes. The text does not grow while it is read.
	OpenLog(ctx context.Context, id ID) (io.ReadSeekCloser, int64, error)
}

// Keep is a rule of retention: a final record goes when it finished longer than
// Age ago, or when Count newer ones of its action are kept. Zero means no limit
// of that kind.
type Keep struct {
	Age   time.Duration
	Count int
}
