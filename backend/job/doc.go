// Package job says what a job is: one run of an action, its lifecycle, the
// event that tells of a change, and the seams through which jobs are kept.
//
// There is one shape of truth, [Job]. The store keeps it, the API answers it,
// the feed carries it and the component draws it; nothing in Telltale has a
// second status type. A change makes a new Job with the next [Rev]; readers
// keep the greatest Rev they have seen, whichever way it reached them.
//
// The lifecycle is the table in state.go and nothing else: [Check], the
// diagram in docs/reference/states.md and the random-walk test are derived
// from it. Every change is a pure method (value in, value out) that returns a
// [TransitionError] when the table does not allow it.
//
// The package imports the standard library only, so that every floor above can
// speak of jobs without knowing who keeps or runs them.
package job
