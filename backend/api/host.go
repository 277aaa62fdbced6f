package api

import (
	"fmt"
	"net"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// allowedHosts is every name the server answers to. A page of another site that
// points its own name at the loopback address (DNS rebinding) still sends that
// name, and is refused.
func allowedHosts(more []string) map[string]bool {
	all := map[string]bool{"localhost": true, "127.0.0.1": true, "::1": true}
	for _, h := range more {
		all[strings.ToLower(strings.Trim(h, "[]"))] = true
	}
	return all
}

// checkHost compares both places a name may stand in: the Host header, and an
// absolute request target. It never believes X-Forwarded-Host. What does not
// come over TCP comes from no browser.
func (s *Server) checkHost(c *fiber.Ctx) error {
	if _, tcp := c.Context().LocalAddr().(*net.TCPAddr); !tcp {
		return nil
	}
	for _, host := range []string{string(c.Request().Header.Host()), string(c.Request().URI().Host())} {
		if !s.hosts[hostName(host)] {
			return refuse("wrong_host", "This server does not answer to the name in the request.")
		}
	}
	return nil
}

// hostName is the lower-case name of host[:port], "" when it is neither.
func hostName(host string) string {
	name, port := host, ""
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		name, port = host[:i], host[i+1:]
		if port == "" {
			return ""
		}
	}
	for _, d := range []byte(port) {
		if d < '0' || d > '9' {
			return ""
		}
	}
	if inner, v6 := strings.CutPrefix(name, "["); v6 {
		inner, closed := strings.CutSuffix(inner, "]")
		if !closed || net.ParseIP(inner) == nil || !strings.Contains(inner, ":") {
			return ""
		}
		return strings.ToLower(inner)
	}
	if strings.ContainsAny(name, ":]") {
		return ""
	}
	return strings.ToLower(name)
}

// ListenError says that an address may not be listened on.
type ListenError struct{ Address string }

func (e *ListenError) Error() string {
	return fmt.Sprintf("listening on %q would let everybody on the network start actions, because there is no sign-in yet; "+
		"listen on 127.0.0.1 or [::1] and reach it through SSH: ssh -L 8080:127.0.0.1:8080 HOST", e.Address)
}

// CheckListen returns nil when a TCP address can be reached from this machine
// only: localhost or a loopback address, with a port; else a *ListenError or
// what is wrong with the address.
func CheckListen(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("listen address %q: want host:port, such as 127.0.0.1:8080", address)
	}
	if host == "localhost" {
		return nil
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
		return nil
	}
	return &ListenError{Address: address}
}
