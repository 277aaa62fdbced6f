// Package engine is the waist of Telltale: everything that happens to a job
// passes here. Button, API, command line, clock and flow all call
// [Engine.Submit]; lookup, parameter binding, idempotency and what to do when
// the same thing already runs are decided here and nowhere else.
//
//	Submit ──► journal: queued ──► lane ──► gate ──► journal: running ──► runner
//	                                                                        │ report, conflated
//	           journal: final ◄── outcome, attempts left? ◄─────────────────┘
//
// A change is decided, then written, then told: [Engine.commit] is the only
// caller of Journal.Append, and whoever listens hears of a change from the
// journal's tail, never before it is kept.
//
// Invariants. A job is running on disk before anything is started for it. A job
// that was running when its engine died is interrupted, or queued again if its
// action is idempotent, before the first request of the next life is served. At
// most one job of a lane (an action and a target) runs, unless the action says
// parallel. Secrets given with a trigger live in memory only.
package engine
