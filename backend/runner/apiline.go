package runner

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"telltale/backend/job"
)

const (
	resolveLimit = 10 * time.Second
	connectLimit = 10 * time.Second
	tlsLimit     = 10 * time.Second
	maxRedirects = 3
)

// line is the connection a test builds step by step and then speaks over. A
// request that needs another one, after a redirect or a closed connection,
// dials it as any client would, but never by way of a proxy from the
// environment: the test is about this machine's own way.
type line struct {
	url       *url.URL
	roots     *x509.CertPool
	client    *http.Client
	addresses []netip.Addr

	mu    sync.Mutex
	ready net.Conn // guarded by mu; nil once it is used
}

func (l *line) port() string {
	switch {
	case l.url.Port() != "":
		return l.url.Port()
	case l.url.Scheme == "https":
		return "443"
	}
	return "80"
}

func (l *line) put(conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ready = conn
}

// take hands the connection out once, to whoever asks for its address.
func (l *line) take(address string) net.Conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	conn := l.ready
	if conn == nil || address != net.JoinHostPort(l.url.Hostname(), l.port()) {
		return nil
	}
	l.ready = nil
	return conn
}

func (l *line) hangUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ready != nil {
		_ = l.ready.Close()
	}
	l.client.CloseIdleConnections()
}

// newLine makes a line whose client speaks HTTP/1.1 over the line. Go's client keeps a credential when a
// redirect leads to a subdomain; this one drops it whenever scheme, host or
// port change.
func newLine(u *url.URL, roots *x509.CertPool) *line {
	l := &line{url: u, roots: roots}
	dialer := &net.Dialer{Timeout: connectLimit}
	transport := &http.Transport{
		Proxy:                  nil,
		MaxResponseHeaderBytes: 64 << 10,
		TLSHandshakeTimeout:    tlsLimit,
		DisableCompression:     true, // a compressed answer could be a bomb
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if conn := l.take(address); conn != nil {
				return conn, nil
			}
			return dialer.DialContext(ctx, network, address)
		},
		DialTLSContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if conn := l.take(address); conn != nil {
				return conn, nil
			}
			host, _, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			return (&tls.Dialer{NetDialer: dialer, Config: l.tlsConfig(host)}).DialContext(ctx, network, address)
		},
	}
	l.client = &http.Client{
		Transport: transport,
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects {
				return errRedirects
			}
			away := func(hop *http.Request) bool { return hop.URL.Scheme != u.Scheme || hop.URL.Host != u.Host }
			if away(r) || slices.ContainsFunc(via, away) { // also when it leads back
				r.Header.Del("Authorization")
			}
			return nil
		},
	}
	return l
}

var errRedirects = errors.New("too many redirects")

func (l *line) tlsConfig(host string) *tls.Config {
	return &tls.Config{ServerName: host, RootCAs: l.roots, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
}

// resolve is the first step: the name becomes addresses.
func (c *check) resolve(ctx context.Context) *verdict {
	host := c.url.Hostname()
	if ip, err := netip.ParseAddr(host); err == nil {
		c.line.addresses = []netip.Addr{ip}
		c.voice.tell("resolve: %s is an address already", host)
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, resolveLimit)
	defer cancel()
	began := c.now()
	all, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return failed("dns", "The name "+quoted(host)+" is not known.", "Check the spelling of the address, and this machine's name service.")
	case err != nil:
		return failed("dns", "The name "+quoted(host)+" could not be looked up: "+reason(err)+".", "Check this machine's name service and network, then try again.")
	}
	c.line.addresses = all
	words := make([]string, 0, 4)
	for _, ip := range all[:min(len(all), 4)] {
		words = append(words, ip.Unmap().String())
	}
	c.voice.tell("resolve: %s is %s (%s)", host, strings.Join(words, ", "), inTime(c.now().Sub(began)))
	return nil
}

// connect tries the addresses in order.
func (c *check) connect(ctx context.Context) *verdict {
	ctx, cancel := context.WithTimeout(ctx, connectLimit)
	defer cancel()
	began := c.now()
	var err error
	for i, ip := range c.line.addresses {
		// One dead address must not use up the time of the next.
		share := time.Until(deadline(ctx)) / time.Duration(len(c.line.addresses)-i)
		d := net.Dialer{Timeout: max(share, 100*time.Millisecond)}
		var conn net.Conn
		address := net.JoinHostPort(ip.Unmap().String(), c.line.port())
		if conn, err = d.DialContext(ctx, "tcp", address); err == nil {
			c.line.put(conn)
			c.voice.tell("connect: to %s (%s)", address, inTime(c.now().Sub(began)))
			return nil
		}
		c.voice.tell("connect: %s: %s", address, reason(err))
	}
	host := net.JoinHostPort(c.url.Hostname(), c.line.port())
	if timedOut(err) {
		return failed("unreachable", host+" did not answer within "+connectLimit.String()+".", "Check that the service runs and that no firewall stands between.")
	}
	return failed("unreachable", host+" cannot be reached: "+reason(err)+".", "Check the address and port, and that the service runs.")
}

func deadline(ctx context.Context) time.Time {
	at, _ := ctx.Deadline()
	return at
}

// encrypt is the TLS handshake; plain http has none.
func (c *check) encrypt(ctx context.Context) *verdict {
	if c.url.Scheme == "http" {
		c.voice.tell("tls: not used, the address is http://")
		return &verdict{state: job.Skipped}
	}
	ctx, cancel := context.WithTimeout(ctx, tlsLimit)
	defer cancel()
	began := c.now()
	host := c.url.Hostname()
	conn := tls.Client(c.line.take(net.JoinHostPort(host, c.line.port())), c.line.tlsConfig(host))
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return tlsFault(host, err)
	}
	c.line.put(conn)
	state := conn.ConnectionState()
	c.voice.tell("tls: %s, certificate for %s until %s (%s)", tls.VersionName(state.Version),
		state.PeerCertificates[0].Subject.CommonName, state.PeerCertificates[0].NotAfter.Format(time.DateOnly), inTime(c.now().Sub(began)))
	return nil
}

func tlsFault(host string, err error) *verdict {
	var (
		unknown  x509.UnknownAuthorityError
		name     x509.HostnameError
		invalid  x509.CertificateInvalidError
		notTLS   tls.RecordHeaderError
		refusal  tls.AlertError
		message  = host + " cannot prove who it is: "
		checkout = "Do not send a key there before you know why. Check the address, and this machine's clock and certificate authorities."
	)
	switch {
	case errors.As(err, &unknown):
		return failed("tls", message+"its certificate is from an authority this machine does not know.", checkout)
	case errors.As(err, &name):
		return failed("tls", message+"its certificate is for another name.", checkout)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return failed("tls", message+"its certificate has expired or is not valid yet.", checkout)
	case errors.As(err, &notTLS):
		return failed("tls", host+" does not speak TLS on this port.", "Use http:// if that is meant, or another port.")
	case errors.As(err, &refusal):
		return failed("tls", host+" refused the encryption offered: "+reason(err)+".", "The service must speak TLS 1.2 or newer.")
	case timedOut(err):
		return failed("tls", host+" did not finish the handshake within "+tlsLimit.String()+".", "Try again; a proxy or firewall may hold the connection.")
	}
	return failed("tls", fmt.Sprintf("No encryption could be agreed on with %s: %s.", host, reason(err)), "Check that the port speaks TLS 1.2 or newer.")
}

func timedOut(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}
