// Package auth says who may do what. Until sign-in exists there is one kind of
// principal: somebody the operating system already let in, over the loopback
// interface or the Unix socket beside the data directory.
package auth

// Principal is who asks. Name is shown in records ("started by ada").
type Principal struct {
	Name string
}
