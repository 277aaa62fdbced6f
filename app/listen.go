package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// listen opens the address for browsers. For a loopback address of version 4
// the same port of [::1] is opened as well, where there is one: a browser that
// is told "localhost" may try either.
func listen(ctx context.Context, address string) ([]net.Listener, string, error) {
	var config net.ListenConfig
	first, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			return nil, "", fmt.Errorf("%s is in use by another program: choose another address with --listen: %w", address, err)
		}
		return nil, "", fmt.Errorf("listen on %s: %w", address, err)
	}
	all := []net.Listener{first}
	tcp, ok := first.Addr().(*net.TCPAddr)
	if ok && tcp.IP.Equal(net.IPv4(127, 0, 0, 1)) {
		if second, err := config.Listen(ctx, "tcp", net.JoinHostPort("::1", strconv.Itoa(tcp.Port))); err == nil {
			all = append(all, second)
		}
	}
	return all, "http://" + first.Addr().String(), nil
}

// openSocket opens the Unix socket beside the data directory. Only the
// user who runs Telltale may open it: the operating system's login is the
// sign-in. A socket file left by a dead life is replaced; the store's lock has
// made sure that nobody owns it.
func (a *App) openSocket(ctx context.Context) (net.Listener, error) {
	path := SocketPath(a.cfg.Data)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("folder of the socket: %w", err)
	}
	if err := trusted(path, a.cfg.Data); err != nil {
		return nil, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("socket of an earlier life: %w", err)
	}
	var config net.ListenConfig
	l, err := config.Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("socket beside the data directory: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		_ = l.Close() // the cause is the other error
		return nil, fmt.Errorf("mode of the socket: %w", err)
	}
	return l, nil
}

// trusted returns an error when the socket lies outside the data directory, in a
// folder that is not this user's alone.
func trusted(socket, data string) error {
	folder := filepath.Dir(socket)
	if abs, err := filepath.Abs(data); err == nil && abs == folder {
		return nil
	}
	return ownFolder(folder)
}

// longestSocket is how long a socket's path may be on every Unix (104 bytes with
// the closing zero on the BSDs).
const longestSocket = 103

// SocketPath is where the server that owns the data directory answers. It lies
// in the directory, unless that makes the path longer than a socket's may be;
// then in the user's runtime directory, under a name made from the path.
func SocketPath(data string) string {
	if abs, err := filepath.Abs(data); err == nil {
		data = abs
	}
	path := filepath.Join(data, "telltale.sock")
	if len(path) <= longestSocket {
		return path
	}
	sum := sha256.Sum256([]byte(data))
	dir := os.Getenv("XDG_RUNTIME_DIR")
	if dir == "" || strings.HasPrefix(dir, data) {
		dir = filepath.Join(os.TempDir(), "telltale-"+strconv.Itoa(os.Getuid()))
	}
	return filepath.Join(dir, hex.EncodeToString(sum[:8])+".sock")
}
