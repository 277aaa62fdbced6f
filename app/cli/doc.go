// Package cli is the words a person types: the commands of telltale, what they
// print and the code they exit with.
//
// It holds no rules about jobs. Each command speaks to the HTTP API through
// [api.Client]: of the server that runs on the data folder, of the one that
// --server names, or, when there is none, of a house put together in this very
// process. So a terminal, a script and the page are told the same.
//
// What is printed goes to the streams that were handed in, and what a job or a
// server says is made safe for a terminal first: it can neither move the
// cursor nor set the title of the window.
package cli
