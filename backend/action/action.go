package action

import (
	"time"
)

// Action is something an admin can start, as declared in the catalog. Exactly
// one of Command, Git and API is set: what carries it out. An Action is never
// changed after loading.
type Action struct {
	ID          string
	Title       string
	Description string
	Group       string
	Targets     []Target // in the order of the file
	Params      []Param  // in the order of the file
	Roles       []string
	OnBusy      OnBusy
	Concurrency int           // how many jobs of this action run at once over all targets; 0 is no limit
	Timeout     time.Duration // default one hour
	Grace       time.Duration // between the polite and the hard stop; default 10 s
	Attempts    int           // at least 1
	Backoff     time.Duration // before the second attempt; doubles, at most one hour
	Idempotent  bool          // may run again by itself after an interruption
	Keep        Keep
	Output      Output
	Exit        Exit

	Command *Command
	Git     *Git
	API     *API
}

// Target is what an action acts on. Values are what the file says of it, as
// text, for {{target.name}}; ID itself is {{target.id}}.
type Target struct {
	ID     string
	Title  string
	Values map[string]string
}

// Kind is what carries the action out, as one word of the catalog's language:
// command, git or api.
func (a *Action) Kind() string {
	switch {
	case a.Git != nil:
		return "git"
	case a.API != nil:
		return "api"
	}
	return "command"
}

// OnBusy says what a trigger does when the same action and target is live.
type OnBusy string

// What a trigger may do; Join is the default.
const (
	Join     OnBusy = "join"     // answer with the live job
	Queue    OnBusy = "queue"    // stand in line behind it
	Replace  OnBusy = "replace"  // cancel it, then run
	Parallel OnBusy = "parallel" // run beside it
	Reject   OnBusy = "reject"   // refuse, naming the live job
)

// Output says how a command's output is read beyond the lines every command may
// say about itself.
type Output string

// The conventions of output.
const (
	Text   Output = "text"   // the default: only "::" lines mean something
	GoTest Output = "gotest" // go test -json
)

// Exit maps exit codes other than 0.
type Exit struct {
	Success []int
	Warning []int
}

// Keep is the action's rule of retention; zero means no limit of that kind.
type Keep struct {
	Age   time.Duration
	Count int
}

// Command is a program to start. Argv elements and Env values may hold
// {{params.x}} and {{target.x}}; they are filled in element by element and
// never read by a shell. With Shell set, Argv is empty and parameters reach the
// script only as environment variables PARAM_<NAME> and TARGET_<NAME>.
type Command struct {
	Argv    []string // the first is absolute once loaded when it has a slash
	Shell   string
	Dir     string            // absolute once loaded
	Env     map[string]string // added to the few variables every command gets
	PassEnv []string          // names taken over from Telltale's own environment
	Secrets map[string]string // variable name → secret name
}

// Git is a push or pull of one repository against one named peer.
type Git struct {
	Operation     GitOperation
	Repository    string // absolute once loaded
	Remote        string // {{target.url}} allowed; a local path is absolute once loaded
	Branch        string
	AllowUnsigned string // "true", "false" or "{{params.x}}" of a boolean; loaded as "true" when absent: signatures are not asked for
}

// GitOperation is what to do with the peer.
type GitOperation string

// The operations.
const (
	Push GitOperation = "push"
	Pull GitOperation = "pull"
)

// API is a connection test of a service, step by step.
type API struct {
	Protocol Protocol
	BaseURL  string // {{target.x}} and {{params.x}} allowed
	Key      Key
	Model    string
}

// Protocol is what the service speaks.
type Protocol string

// OpenAI is the protocol of OpenAI's HTTP API, which many services speak.
const OpenAI Protocol = "openai"

// Key says where a credential comes from: the secret parameter Param when the
// admin filled it in, else the stored secret Secret.
type Key struct {
	Secret string
	Param  string
}

// Param is one typed parameter. Which fields count depends on Type.
type Param struct {
	Name        string
	Title       string
	Description string
	Type        ParamType
	Required    bool
	Default     any      // string, float64 or bool, matching Type; nil for none
	Options     []string // select
	Pattern     string   // text: RE2, matched against the whole value
	Min, Max    *float64 // number: the value; text and secret: the length in characters
	Integer     bool     // number: no fraction
	AllowDash   bool     // text: the value may begin with "-"
	Under       string   // text: the value is a path inside this folder, links followed; absolute once loaded
}

// ParamType is the type of a parameter.
type ParamType string

// The types.
const (
	TextParam    ParamType = "text"
	NumberParam  ParamType = "number"
	BooleanParam ParamType = "boolean"
	SelectParam  ParamType = "select"
	SecretParam  ParamType = "secret"
)
