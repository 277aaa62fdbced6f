package job

import (
	"encoding/json"
	"time"
)

// Rev counts the changes of one job: 1 when it is accepted, one more with every
// change. A reader keeps the greatest.
type Rev uint64

// MaxSize is the most bytes a Job takes when encoded as JSON; see [Job.Fit].
const MaxSize = 16 << 10

// Job is the status of one run of an action: the lifecycle record. Times are
// UTC to the millisecond; a zero time, like any absent field, means unknown or
// not yet. Treat a Job as a value: methods return a changed copy, and nothing
// changes what a slice or pointer in it points to.
type Job struct {
	ID     ID     `json:"id" doc:"UUIDv7; sorts by creation"`
	Rev    Rev    `json:"rev" doc:"Rises by one with every change of this job; a reader keeps the greatest"`
	Action string `json:"action" doc:"What runs, as named in the catalog"`
	Title  string `json:"title" doc:"The action's name for people"`
	Target string `json:"target,omitempty" doc:"What the action acts on, when it has targets"`
	State  State  `json:"state" enum:"queued,running,waiting,succeeded,warning,failed,canceled,interrupted,skipped" doc:"Where the job stands"`

	Phase        string    `json:"phase,omitempty" doc:"What it is doing now, for people"`
	Progress     *Progress `json:"progress,omitempty" doc:"How far it has come, as far as anybody knows"`
	Summary      string    `json:"summary,omitempty" doc:"One sentence, set at the end"`
	Warnings     []Notice  `json:"warnings,omitempty" doc:"The first reasons to read, at most 20"`
	WarningCount int       `json:"warning_count,omitempty" doc:"How many there were in all"`
	Error        *Error    `json:"error,omitempty" doc:"Why it failed and what to do next"`

	Trigger Trigger        `json:"trigger" doc:"How it came to run"`
	Params  map[string]any `json:"params,omitempty" doc:"Parameters as bound; secrets never appear"`
	Sealed  bool           `json:"sealed,omitempty" doc:"A secret parameter was given; it is never kept, so a retry must ask again"`

	Attempt   int       `json:"attempt" doc:"Which try this is, from 1"`
	Attempts  int       `json:"attempts" doc:"How many tries it may have"`
	NotBefore time.Time `json:"not_before,omitzero" doc:"When the next try may start"`

	Steps    []Step    `json:"steps,omitempty" doc:"The parts of the job, in order"`
	Cancel   *Ask      `json:"cancel,omitempty" doc:"Who asked to stop it, and when"`
	Approval *Approval `json:"approval,omitempty" doc:"What a person must approve"`
	Queue    *Place    `json:"queue,omitempty" doc:"Where it stands in line while queued"`
	Expected *Expected `json:"expected,omitempty" doc:"How long it usually takes"`
	Log      LogStat   `json:"log" doc:"How much was written to its log"`

	CreatedAt  time.Time `json:"created_at" doc:"When the trigger was accepted"`
	StartedAt  time.Time `json:"started_at,omitzero" doc:"When this attempt started"`
	UpdatedAt  time.Time `json:"updated_at" doc:"When it last changed"`
	FinishedAt time.Time `json:"finished_at,omitzero" doc:"When it reached its final state"`

	Host string `json:"host,omitempty" doc:"The machine that runs it"`
	Boot string `json:"boot,omitempty" doc:"The life of the process that runs it"`
}

// Progress is how far a job or step has come. Percent (0 to 100) is nil when
// nobody knows it. Total is 0 when unknown; Rate is units a second.
type Progress struct {
	Percent   *float64 `json:"percent,omitempty" minimum:"0" maximum:"100"`
	Done      int64    `json:"done,omitempty"`
	Total     int64    `json:"total,omitempty"`
	Unit      string   `json:"unit,omitempty"`
	Rate      float64  `json:"rate,omitempty"`
	Estimated bool     `json:"estimated,omitempty" doc:"The percent is a guess from past runs"`
}

// Notice is one thing a person should read: a warning, with the place it is
// about when that is known.
type Notice struct {
	Message string `json:"message"`
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
}

// Error says why a job failed and what to do next. Code is stable and
// documented; Message and Hint are one sentence each, for people.
type Error struct {
	Code     string `json:"code"`
	Message  string `json:"message"`
	Hint     string `json:"hint,omitempty"`
	ExitCode *int   `json:"exit_code,omitempty"`
}

// Via is the way a trigger came in.
type Via string

// The ways in. Each calls the engine's Submit and nothing else.
const (
	ViaButton   Via = "button"
	ViaAPI      Via = "api"
	ViaCLI      Via = "cli"
	ViaSchedule Via = "schedule"
	ViaFlow     Via = "flow"
	ViaRetry    Via = "retry"
	ViaStartup  Via = "startup"
)

// Trigger says how a job came to run: the way in, who, and why.
type Trigger struct {
	Via      Via    `json:"via" enum:"button,api,cli,schedule,flow,retry,startup"`
	By       string `json:"by" doc:"Who started it"`
	Schedule string `json:"schedule,omitempty"`
	Tick     string `json:"tick,omitempty" doc:"The planned local time, RFC 3339"`
	Reason   string `json:"reason,omitempty"`
	RetryOf  ID     `json:"retry_of,omitempty"`
}

// Step is one part of a job with a lamp of its own.
type Step struct {
	ID         string    `json:"id"`
	Title      string    `json:"title"`
	State      State     `json:"state" enum:"queued,running,waiting,succeeded,warning,failed,canceled,interrupted,skipped"`
	Needs      []string  `json:"needs,omitempty"`
	Phase      string    `json:"phase,omitempty"`
	Progress   *Progress `json:"progress,omitempty"`
	StartedAt  time.Time `json:"started_at,omitzero"`
	FinishedAt time.Time `json:"finished_at,omitzero"`
	Error      *Error    `json:"error,omitempty"`
}

// Ask records who asked for a job to be canceled, and when.
type Ask struct {
	By string    `json:"by"`
	At time.Time `json:"at"`
}

// Approval is what a person is asked to approve; By is empty until someone did.
type Approval struct {
	Prompt string `json:"prompt"`
	By     string `json:"by,omitempty"`
}

// Place is where a queued job stands: Position from 1, and the live job just
// ahead of it.
type Place struct {
	Position int `json:"position"`
	Behind   ID  `json:"behind,omitempty"`
}

// Expected is how long past runs of the same action and target took.
type Expected struct {
	P50 int64 `json:"p50_ms"`
	P95 int64 `json:"p95_ms"`
}

// Encode is the job as JSON, the one encoding that is stored, sent and shown.
func (j Job) Encode() ([]byte, error) { return json.Marshal(j) }
