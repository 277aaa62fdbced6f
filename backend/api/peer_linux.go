package api

import (
	"net"

	"golang.org/x/sys/unix"
)

// peerUser is the user at the other end of a Unix socket (SO_PEERCRED).
func peerUser(conn *net.UnixConn) (uid uint32, ok bool) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, false
	}
	err = raw.Control(func(fd uintptr) {
		cred, credErr := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
		if credErr == nil {
			uid, ok = cred.Uid, true
		}
	})
	return uid, ok && err == nil
}
