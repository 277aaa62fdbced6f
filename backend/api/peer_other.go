//go:build !linux

package api

import "net"

// peerUser is not known on this system.
func peerUser(*net.UnixConn) (uid uint32, ok bool) { return 0, false }
