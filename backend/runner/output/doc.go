// Package output reads what a command prints. It turns any bytes into clean
// lines ([Splitter]), takes secrets out of them ([Masker]), and understands
// what a line says about the work: workflow commands ([Workflow]), go test -json
// ([GoTest]), git's progress and push status.
//
// Output is foreign: it may be endless, broken or hostile. Nothing here keeps
// more than a bounded amount of it, runs anything or fails on anything, and
// nothing a line says can turn a failure into a success.
//
// The readers are not safe for use from several goroutines at once.
package output
