// Package api is the way in over HTTP, and the Go client for it. The handlers
// hold no rules: what may run, who may run it and what happens when it already
// runs is decided by the engine. They parse, ask, and answer.
//
// A job is always answered with the very bytes that are stored, so that polling,
// long-polling and the event stream say the same thing, letter for letter.
//
//	listener ──► guard (host, origin, limits, request id, panic) ──► route
//	                                                                  ├─ JSON: ask the engine or the records, answer
//	                                                                  ├─ wait: subscribe, look, hold until it changes
//	                                                                  └─ stream: subscribe, hijack, read the past, go live
//
// Whatever reads and waits subscribes first, then reads what was, then goes
// live: nothing can fall between. The routes are one table (routes.go); the
// router, the OpenAPI document, the docs page and docs/reference are made from
// it. Errors are one table too (problem.go), from type to status, code and hint.
//
// Nothing a client sends can end the process: every handler and every stream
// recovers, every read and write has a deadline, and every size has a limit.
package api
