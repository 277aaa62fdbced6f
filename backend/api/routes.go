package api

import (
	"reflect"

	"telltale/backend/job"
)

// Media types of answers.
const (
	jsonType     = "application/json"
	problemType  = "application/problem+json"
	streamType   = "text/event-stream"
	textType     = "text/plain"
	markdownType = "text/markdown"
	htmlType     = "text/html"
)

// route is one row of the table from which router, OpenAPI document and
// reference are made.
type route struct {
	method, path string // the path in OpenAPI's form, with {name}
	id           string // OpenAPI's operationId; also finds the handler
	group        string
	summary      string
	about        string
	params       []param
	body         reflect.Type // nil for none
	answers      []answer
	problems     []string // codes, besides those every route may answer
}

// param is a parameter in the path, the query or a header.
type param struct {
	name, in, about string
	kind            string // string, integer or datetime
	many            bool   // may be repeated
	enum            []string
}

// answer is one good answer. Types maps media type to the Go type of the body;
// a nil type is text.
type answer struct {
	status  int
	about   string
	types   map[string]reflect.Type
	headers []string
}

func only(t reflect.Type) map[string]reflect.Type { return map[string]reflect.Type{jsonType: t} }

// headerText says what our own answer headers mean.
func headerText() map[string]string {
	return map[string]string{
		"Location":           "The job's own address",
		"ETag":               `Strong: the job's id and rev, "<id>.<rev>"`,
		"Retry-After":        "Seconds after which a patient client comes back; absent when nothing will change",
		"Preference-Applied": "Says that the answer was held for the Prefer header",
		"Content-Range":      "Which bytes these are",
		"Allow":              "The methods there are",
	}
}

// payloads are the bodies of stream events, described in the OpenAPI document
// although no JSON route answers them, so that clients share the types.
func payloads() []reflect.Type {
	return []reflect.Type{
		reflect.TypeFor[Hello](), reflect.TypeFor[Reset](), reflect.TypeFor[JobEvent](), reflect.TypeFor[LogLines](),
		reflect.TypeFor[Heartbeat](), reflect.TypeFor[Bye](), reflect.TypeFor[job.Line](), reflect.TypeFor[LogEnd](),
	}
}

// routes is the table.
func routes() []route {
	var all []route
	all = append(all, jobRoutes()...)
	all = append(all, logRoutes()...)
	all = append(all, actionRoutes()...)
	all = append(all, eventRoutes()...)
	return append(all, serverRoutes()...)
}

func pathID() param {
	return param{name: "id", in: "path", kind: "string", about: "The job's id: a UUIDv7 in lower case"}
}

func jobRoutes() []route {
	one := func(path, id, about string) route {
		return route{
			method: "GET", path: path, id: id, group: "jobs", summary: "One job", about: about,
			params: []param{
				pathID(),
				{name: "If-None-Match", in: "header", kind: "string", about: "The ETag you have: 304 when the job has not changed"},
				{name: "Prefer", in: "header", kind: "string", about: "wait=20: hold the answer until the job changes, at most so many seconds (RFC 7240; 60 at most). A job that has ended is answered at once"},
			},
			answers: []answer{
				{status: 200, about: "The job", types: only(reflect.TypeFor[Status]()), headers: []string{"ETag", "Retry-After", "Preference-Applied"}},
				{status: 304, about: "It has not changed", headers: []string{"ETag", "Retry-After", "Preference-Applied"}},
			},
			problems: []string{"not_found"},
		}
	}
	list := []param{
		{name: "action", in: "query", kind: "string", many: true, about: "Jobs of this action"},
		{name: "target", in: "query", kind: "string", many: true, about: "Jobs of this target"},
		{name: "state", in: "query", kind: "string", many: true, enum: stateWords(), about: "Jobs in this state"},
		{name: "by", in: "query", kind: "string", many: true, about: "Jobs started by this person"},
		{name: "since", in: "query", kind: "datetime", about: "Created at or after"},
		{name: "until", in: "query", kind: "datetime", about: "Created before"},
		{name: "q", in: "query", kind: "string", about: "Text found in title, summary, phase or error, ignoring case"},
		{name: "after", in: "query", kind: "string", about: "The next of the page before"},
		{name: "limit", in: "query", kind: "integer", about: "How many, 1 to 1000; 50 unless told"},
	}
	accepted := []string{"Location", "ETag"}
	return []route{
		{
			method: "POST", path: "/api/v1/actions/{action}/jobs", id: "startJob", group: "jobs", summary: "Start a job",
			about: "Accepts one run of an action. The answer is sent once the job is safe on disk. When the same action and target is live, the action's on_busy decides: by default the live job is answered.",
			params: []param{
				{name: "action", in: "path", kind: "string", about: "The action's id"},
				{name: "Idempotency-Key", in: "header", kind: "string", about: "Up to 255 printable characters of your choosing: the same key and body again answer the same job"},
			},
			body: reflect.TypeFor[TriggerBody](),
			answers: []answer{
				{status: 202, about: "A new job was accepted", types: only(reflect.TypeFor[Status]()), headers: accepted},
				{status: 200, about: "The live job this trigger joined, or the job the same key started", types: only(reflect.TypeFor[Status]()), headers: accepted},
			},
			problems: []string{"unknown_action", "unknown_target", "bad_parameters", "busy", "idempotency_key_reused", "storage_full", "draining"},
		},
		{
			method: "GET", path: "/api/v1/jobs", id: "listJobs", group: "jobs", summary: "The history",
			about:  "One page of jobs, newest first. Values of one parameter are alternatives; different parameters must all hold.",
			params: list, answers: []answer{{status: 200, about: "A page", types: only(reflect.TypeFor[JobList]())}}, problems: []string{"bad_cursor"},
		},
		one("/api/v1/jobs/{id}", "getJob", "The job as it is now: the bytes that are stored."),
		one("/api/v1/jobs/{id}/status", "getJobStatus", "The same answer as /api/v1/jobs/{id}, under the name pollers know."),
		{
			method: "POST", path: "/api/v1/jobs/{id}/cancel", id: "cancelJob", group: "jobs", summary: "Ask to stop a job",
			about:    "Asks; the job is canceled when the work did stop. Asking again, or asking a job that has ended, changes nothing.",
			params:   []param{pathID()},
			answers:  []answer{{status: 202, about: "The job after asking", types: only(reflect.TypeFor[Status]()), headers: []string{"ETag"}}},
			problems: []string{"not_found"},
		},
		{
			method: "POST", path: "/api/v1/jobs/{id}/retry", id: "retryJob", group: "jobs", summary: "Run a job again",
			about: "Starts a new job with the target and parameters of one that has ended, checked against today's catalog.",
			params: []param{
				pathID(),
				{name: "Idempotency-Key", in: "header", kind: "string", about: "As for starting a job"},
			},
			answers: []answer{
				{status: 202, about: "A new job was accepted", types: only(reflect.TypeFor[Status]()), headers: accepted},
				{status: 200, about: "The live job this retry joined, or the job the same key started", types: only(reflect.TypeFor[Status]()), headers: accepted},
			},
			problems: []string{"not_found", "not_final", "sealed", "unknown_action", "unknown_target", "bad_parameters", "busy", "idempotency_key_reused", "storage_full", "draining"},
		},
	}
}

func logRoutes() []route {
	return []route{{
		method: "GET", path: "/api/v1/jobs/{id}/log", id: "getLog", group: "jobs", summary: "The log of a job",
		about: "JSON by default. As text/plain the whole log, with Range. As text/event-stream one `line` event per line, whose id is the line number, then `end` once the job is final and all was sent; a cut loses nothing, because Last-Event-ID is the last line seen.",
		params: []param{
			pathID(),
			{name: "from", in: "query", kind: "integer", about: "The first line wanted, from 1"},
			{name: "limit", in: "query", kind: "integer", about: "JSON: at most so many lines, 1 to 1000; 1000 unless told"},
			{name: "Range", in: "header", kind: "string", about: "Text: one range of bytes (RFC 9110)"},
			{name: "Last-Event-ID", in: "header", kind: "string", about: "Stream: the last line seen"},
		},
		answers: []answer{
			{status: 200, about: "The log, or a part of it", types: map[string]reflect.Type{jsonType: reflect.TypeFor[job.LogPart](), textType: nil, streamType: nil}},
			{status: 206, about: "The range that was asked for", types: map[string]reflect.Type{textType: nil}, headers: []string{"Content-Range"}},
		},
		problems: []string{"not_found", "bad_range", "too_many_streams"},
	}}
}

func actionRoutes() []route {
	return []route{
		{
			method: "GET", path: "/api/v1/actions", id: "listActions", group: "catalog", summary: "What can be started",
			about:   "Every action with its form, its newest jobs, and what is wrong with the catalog file if anything is.",
			answers: []answer{{status: 200, about: "The actions", types: only(reflect.TypeFor[Actions]())}},
		},
		{
			method: "GET", path: "/api/v1/catalog", id: "getCatalog", group: "catalog", summary: "The inventory",
			about:   "What can start here, how, and what its last run came to. As text/markdown a table.",
			answers: []answer{{status: 200, about: "The inventory", types: map[string]reflect.Type{jsonType: reflect.TypeFor[Catalog](), markdownType: nil}}},
		},
	}
}

func eventRoutes() []route {
	return []route{
		{
			method: "GET", path: "/api/v1/events", id: "readEvents", group: "events", summary: "The feed",
			about: "As text/event-stream the live stream: `hello`, `reset` (only when what was missed is gone), then `job` events with ids, `log` for topics log:<id>, `heartbeat`, and `bye` when the server ends it. As application/json a long-poll of the same objects.",
			params: []param{
				{name: "topics", in: "query", kind: "string", about: "Separated by commas: jobs (the default), job:<id>, log:<id>"},
				{name: "job", in: "query", kind: "string", many: true, about: "Short for topics=job:<id>"},
				{name: "action", in: "query", kind: "string", many: true, about: "Only jobs of this action"},
				{name: "Last-Event-ID", in: "header", kind: "string", about: "Stream: the id of the last event seen"},
				{name: "last_event_id", in: "query", kind: "string", about: "Stream: the same, for clients that cannot set headers; the header wins"},
				{name: "since", in: "query", kind: "string", about: "A head or id of this feed: everything after it, then live"},
				{name: "wait", in: "query", kind: "integer", about: "Long-poll: hold the answer until something changes, at most so many seconds (60 at most)"},
			},
			answers:  []answer{{status: 200, about: "The stream, or what changed", types: map[string]reflect.Type{streamType: nil, jsonType: reflect.TypeFor[Changes]()}}},
			problems: []string{"bad_cursor", "bad_topic", "too_many_streams"},
		},
		{
			method: "PUT", path: "/api/v1/events/{stream}/topics", id: "setTopics", group: "events", summary: "Change what a stream tells",
			about:    "Replaces the topics of an open stream without reconnecting; a filter by action ends with it. Jobs named with job:<id> are shown as they stand, without an id.",
			params:   []param{{name: "stream", in: "path", kind: "string", about: "The stream named by hello"}},
			body:     reflect.TypeFor[Topics](),
			answers:  []answer{{status: 204, about: "Done"}},
			problems: []string{"not_found", "bad_topic"},
		},
	}
}

func serverRoutes() []route {
	plain := func(path, id, summary, about string, body reflect.Type, problems ...string) route {
		return route{
			method: "GET", path: path, id: id, group: "server", summary: summary, about: about,
			answers: []answer{{status: 200, about: "Yes", types: only(body)}}, problems: problems,
		}
	}
	spec := plain("/openapi.json", "getOpenAPI", "This document", "OpenAPI 3.1.", reflect.TypeFor[map[string]any]())
	style := plain("/docs/style.css", "getDocsStyle", "The style of the docs page", "Style.", nil)
	style.answers[0].types = map[string]reflect.Type{"text/css": nil}
	docs := plain("/docs", "getDocs", "The docs page", "The same for people; it loads nothing from elsewhere.", nil)
	docs.answers[0].types = map[string]reflect.Type{htmlType: nil}
	return []route{
		plain("/healthz", "getHealth", "Alive", "The process answers.", reflect.TypeFor[Health]()),
		plain("/readyz", "getReady", "Ready", "Work is accepted.", reflect.TypeFor[Health](), "draining", "storage_full", "not_ready"),
		plain("/api/v1/version", "getVersion", "What is running", "Version, build and feed.", reflect.TypeFor[Version]()),
		spec, docs, style,
	}
}

func stateWords() []string {
	var words []string
	for _, s := range job.States() {
		words = append(words, string(s))
	}
	return words
}
