//go:build linux && (amd64 || arm64)

package feed

import (
	"net"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// unsent is how many bytes the kernel may hold for a reader that it has not sent
// yet. Without a limit the send buffer grows to megabytes, and all of it is
// stale by the time a slow reader gets there.
const unsent = 32 << 10

// takeSocket duplicates the socket of a TCP or Unix connection, because Go's
// poller keeps its hold on the one it knows. ok is false for anything else.
func takeSocket(raw syscall.RawConn, patience time.Duration) (fd int, ok bool) {
	fd = -1
	err := raw.Control(func(own uintptr) {
		kind, err := unix.GetsockoptInt(int(own), unix.SOL_SOCKET, unix.SO_TYPE)
		if err != nil || kind != unix.SOCK_STREAM {
			return
		}
		fd, err = unix.FcntlInt(own, unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			fd = -1
		}
	})
	if err != nil || fd < 0 {
		return -1, false
	}
	// Unix sockets refuse these; they need neither.
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsent)
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	// A reader whose machine fell silent is given up when this long nothing that
	// was sent is acknowledged, instead of after a quarter of an hour.
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(patience.Milliseconds()))
	return fd, true
}

// socketOf finds the system's connection under wrappers, but never under one
// that changes the bytes, as TLS does.
func socketOf(conn net.Conn) (syscall.RawConn, bool) {
	for {
		switch c := conn.(type) {
		case syscall.Conn:
			raw, err := c.SyscallConn()
			return raw, err == nil
		case interface{ UnsafeConn() net.Conn }:
			conn = c.UnsafeConn()
		default:
			return nil, false
		}
	}
}

// send writes what the socket takes at once. Fewer bytes than len(b) without an
// error means that it is full. It does not tell Go's scheduler that it enters
// the kernel: the call cannot block, and handing the processor over and back
// costs as much as a tenth of the call.
func send(fd int, b []byte) (int, error) {
	for sent := 0; sent < len(b); {
		n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&b[sent])),
			uintptr(len(b)-sent), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
		switch {
		case errno == 0:
			return sent + int(n), nil
		case errno == unix.EAGAIN:
			return sent, nil
		case errno != unix.EINTR:
			return sent, errno
		}
	}
	return len(b), nil
}
