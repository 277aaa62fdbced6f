package api

import (
	"time"

	"telltale/backend/job"
)

// Actions answers GET /api/v1/actions.
type Actions struct {
	Actions []ActionView `json:"actions"`
	Trouble *Trouble     `json:"trouble" doc:"What is wrong with the catalog file on disk, when the one in use is an older one; else null"`
	Head    string       `json:"head" doc:"Where the feed stood: open the event stream with since= this"`
}

// ActionView is an action as a page needs it to draw its button and lamp.
type ActionView struct {
	ID          string       `json:"id"`
	Title       string       `json:"title"`
	Description string       `json:"description,omitempty"`
	Group       string       `json:"group,omitempty"`
	Kind        string       `json:"kind" enum:"command,git,api" doc:"What carries it out"`
	OnBusy      string       `json:"on_busy" enum:"join,queue,replace,parallel,reject" doc:"What a trigger does when the same action and target is live"`
	TimeoutMS   int64        `json:"timeout_ms" doc:"How long an attempt may take, in milliseconds"`
	Roles       []string     `json:"roles"`
	Targets     []TargetView `json:"targets" doc:"What it can act on; empty for an action without targets"`
	Params      []ParamView  `json:"params"`
	Last        Status       `json:"last,omitempty" doc:"The newest job, when the action has no targets"`
	Recent      []RecentView `json:"recent" doc:"The newest 20 jobs over all targets, newest first"`
}

// TargetView is one thing an action can act on, with its own lamp.
type TargetView struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Last  Status `json:"last,omitempty" doc:"The newest job of this target"`
}

// ParamView is one parameter of an action: what a form asks for.
type ParamView struct {
	Name        string   `json:"name"`
	Title       string   `json:"title,omitempty"`
	Description string   `json:"description,omitempty"`
	Type        string   `json:"type" enum:"text,number,boolean,select,secret"`
	Required    bool     `json:"required"`
	Default     any      `json:"default,omitempty" doc:"Text, number or boolean, as the type says"`
	Options     []string `json:"options,omitempty" doc:"What can be selected"`
	Pattern     string   `json:"pattern,omitempty" doc:"RE2, matched against the whole text"`
	Min         *float64 `json:"min,omitempty" doc:"Least number, or least length of a text"`
	Max         *float64 `json:"max,omitempty" doc:"Greatest number, or greatest length of a text"`
	Integer     bool     `json:"integer,omitempty" doc:"The number has no fraction"`
}

// RecentView is one mark of an action's strip of past runs.
type RecentView struct {
	ID         job.ID    `json:"id"`
	State      job.State `json:"state" enum:"queued,running,waiting,succeeded,warning,failed,canceled,interrupted,skipped"`
	Target     string    `json:"target,omitempty"`
	DurationMS int64     `json:"duration_ms" doc:"From start to end; 0 while it has not ended or when it never started"`
	CreatedAt  time.Time `json:"created_at"`
}

// Trouble is why the catalog file on disk is not the one in use.
type Trouble struct {
	File   string      `json:"file"`
	Faults []FaultView `json:"faults"`
}

// FaultView is one fault of the catalog file. Line and Column count from 1.
type FaultView struct {
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// Catalog answers GET /api/v1/catalog: everything that can start here.
type Catalog struct {
	Rows []CatalogRow `json:"rows"`
}

// CatalogRow is one action of the inventory.
type CatalogRow struct {
	Action    string   `json:"action"`
	Title     string   `json:"title"`
	Kind      string   `json:"kind" enum:"command,git,api"`
	Triggers  []string `json:"triggers" doc:"The ways it can be started"`
	Endpoint  string   `json:"endpoint" doc:"Method and path that start it"`
	Targets   []string `json:"targets"`
	Schedules []string `json:"schedules"`
	TimeoutMS int64    `json:"timeout_ms"`
	Roles     []string `json:"roles"`
	Log       string   `json:"log" doc:"Where the log of a run is read"`
	Last      *LastRun `json:"last,omitempty"`
}

// LastRun is the newest job of an action, in short.
type LastRun struct {
	ID         job.ID    `json:"id"`
	State      job.State `json:"state" enum:"queued,running,waiting,succeeded,warning,failed,canceled,interrupted,skipped"`
	Target     string    `json:"target,omitempty"`
	FinishedAt time.Time `json:"finished_at,omitzero"`
}

// TriggerBody asks for one run of an action.
type TriggerBody struct {
	Target string         `json:"target,omitempty" doc:"One of the action's targets"`
	Params map[string]any `json:"params,omitempty" doc:"Values by parameter name: text, number or boolean"`
	Reason string         `json:"reason,omitempty" maxLength:"500" doc:"Why, for the record"`
	Via    job.Via        `json:"via,omitempty" enum:"button,api,cli" doc:"The way the trigger came in; api unless told"`
}

// JobList answers GET /api/v1/jobs: one page, newest first.
type JobList struct {
	Jobs []Status `json:"jobs"`
	Next string   `json:"next" doc:"Pass as after= for the next page; empty at the end"`
	Head string   `json:"head" doc:"Where the feed stood: open the event stream with since= this"`
}

// Changes answers a long-poll of the feed.
type Changes struct {
	Events []JobEvent `json:"events"`
	Head   string     `json:"head" doc:"Pass as since= next time"`
	Reset  bool       `json:"reset" doc:"Forget what you know: what was missed is no longer kept, and events is the present"`
}

// JobEvent is one change: event "job" of the stream. Its SSE id is the feed's
// name, a dot, and seq.
type JobEvent struct {
	Seq uint64 `json:"seq" doc:"Numbers the changes of the feed without a gap"`
	Job Status `json:"job"`
}

// Hello is the first event of a stream. Only when it has arrived is a reader
// live.
type Hello struct {
	Stream      string    `json:"stream" doc:"Names this stream, for PUT /api/v1/events/{stream}/topics"`
	Now         time.Time `json:"now" doc:"The server's clock"`
	Head        string    `json:"head" doc:"Where the feed stood when the stream was opened"`
	ResumedFrom string    `json:"resumed_from" doc:"The cursor the stream goes on from; empty when it starts with the present"`
	Lost        bool      `json:"lost" doc:"What followed the given cursor is not kept: a reset event comes next"`
}

// Heartbeat says that the link is alive.
type Heartbeat struct {
	At time.Time `json:"at"`
}

// Reset says: forget what you know, here is the present.
type Reset struct{}

// LogLines carries new lines of a job's log to readers of topic log:<id>.
type LogLines struct {
	Job   job.ID     `json:"job"`
	Lines []job.Line `json:"lines"`
}

// LogEnd is the last event of a log stream: the job is final and all was sent.
type LogEnd struct {
	Next int64 `json:"next" doc:"The number after the last line"`
}

// Bye is the last event of a stream that the server ends.
type Bye struct {
	Reason string `json:"reason"`
}

// Topics replaces what a stream is told of.
type Topics struct {
	Topics []string `json:"topics" maxItems:"200" doc:"jobs, job:<id>, log:<id>"`
}

// Health answers GET /healthz and GET /readyz.
type Health struct {
	Status string `json:"status" enum:"ok"`
}

// Version says what is running.
type Version struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Go      string `json:"go"`
	Feed    string `json:"feed" doc:"Names the store's feed; cursors begin with it"`
}

// Problem is an error answer (RFC 9457).
//
//nolint:errname // it is an answer first, and clients know it by the standard's name
type Problem struct {
	Type      string       `json:"type" doc:"Where this kind of problem is described"`
	Title     string       `json:"title"`
	Status    int          `json:"status"`
	Detail    string       `json:"detail" doc:"What went wrong, in one sentence"`
	Instance  string       `json:"instance,omitempty" doc:"What it is about: a path of this API"`
	Code      string       `json:"code" doc:"Stable and documented"`
	Hint      string       `json:"hint,omitempty" doc:"What to do next"`
	RequestID string       `json:"request_id" doc:"Find it in the server's log"`
	Errors    []FieldFault `json:"errors,omitempty" doc:"Every field that is wrong"`
}

// FieldFault is one field of a request that is wrong.
type FieldFault struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}
