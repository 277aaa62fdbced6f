package api

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// ErrUnreachable is what a Client's errors wrap when no server answered, as
// opposed to a *Problem, which a server answered with.
var ErrUnreachable = errors.New("no server answers")

// answerLimit is the most bytes of one JSON answer the client reads.
const answerLimit = 64 << 20

// ClientOptions say which server a Client talks to.
type ClientOptions struct {
	// Server is http://host:port, https://host, unix:/path/of/socket, or just
	// the absolute path of a Unix socket. Not needed with Dial.
	Server string
	// Dial, when set, opens every connection instead: for a server in the same
	// process.
	Dial func(ctx context.Context) (net.Conn, error)
	// Rand makes idempotency keys. Defaults to crypto/rand.Reader.
	Rand io.Reader
}

// Client talks to a Telltale server. Its methods may be called at once. Every
// error either wraps ErrUnreachable, is a *Problem, or is that of the context.
type Client struct {
	base string
	http *http.Client
	rand io.Reader
	pace pace
}

// pace is how patiently the client works; tests shorten it.
type pace struct {
	silence  time.Duration // of a stream, after which it counts as cut
	hold     time.Duration // of a long-poll while streams fail
	backoff  time.Duration // first and
	slowest  time.Duration // last pause between attempts
	attempts int           // at one request that is safe to send again
}

// NewClient makes a client; it does not connect. The error says what is wrong
// with Server.
func NewClient(o ClientOptions) (*Client, error) {
	base, dial, err := target(o)
	if err != nil {
		return nil, err
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 8, IdleConnTimeout: 50 * time.Second,
		ResponseHeaderTimeout: 2 * maxWait, DisableCompression: true,
	}
	if dial != nil {
		transport.Proxy = nil
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) }
	}
	return &Client{
		base: base, rand: o.Rand, http: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		pace: pace{silence: 20 * time.Second, hold: 20 * time.Second, backoff: 250 * time.Millisecond, slowest: 5 * time.Second, attempts: 3},
	}, nil
}

func target(o ClientOptions) (base string, dial func(context.Context) (net.Conn, error), err error) {
	const local = "http://localhost"
	if o.Dial != nil {
		return local, o.Dial, nil
	}
	path, isSocket := strings.CutPrefix(o.Server, "unix:")
	path = strings.TrimPrefix(path, "//")
	if isSocket || strings.HasPrefix(o.Server, "/") {
		return local, func(ctx context.Context) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", path)
		}, nil
	}
	u, err := url.Parse(o.Server)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil {
		return "", nil, fmt.Errorf("server address %q: want http://host:port, https://host or unix:/path", o.Server)
	}
	return u.Scheme + "://" + u.Host + strings.TrimSuffix(u.Path, "/"), nil, nil
}

// Close gives up idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// call is one request of the client.
type call struct {
	method, path string
	query        url.Values
	header       map[string]string
	body         any // encoded as JSON; nil for none
}

// send sends the request and returns an answer below 400, also a 304. The
// caller closes its body.
func (c *Client) send(ctx context.Context, r call) (*http.Response, error) {
	address := c.base + r.path
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	var body io.Reader
	if r.body != nil {
		b, err := json.Marshal(r.body)
		if err != nil {
			return nil, fmt.Errorf("request body: %w", err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, address, body)
	if err != nil {
		return nil, fmt.Errorf("request: %w", err)
	}
	if body != nil {
		req.Header.Set("Content-Type", jsonType)
	}
	req.Header.Set("Accept", jsonType)
	for name, value := range r.header {
		req.Header.Set(name, value)
	}
	answer, err := c.http.Do(req)
	if err != nil {
		return nil, unreachable(ctx, err)
	}
	if answer.StatusCode < 400 {
		return answer, nil
	}
	defer discard(answer)
	return nil, readProblem(answer)
}

// fetch sends the request and decodes the JSON answer into out, unless out is
// nil. It returns the raw body and the status too.
func (c *Client) fetch(ctx context.Context, r call, out any) (raw []byte, status int, err error) {
	answer, err := c.send(ctx, r)
	if err != nil {
		return nil, 0, err
	}
	defer discard(answer)
	raw, err = io.ReadAll(io.LimitReader(answer.Body, answerLimit))
	if err != nil {
		return nil, 0, unreachable(ctx, err)
	}
	if out != nil && len(raw) > 0 {
		if err := json.Unmarshal(raw, out); err != nil {
			return nil, 0, fmt.Errorf("answer to %s %s: %w", r.method, r.path, err)
		}
	}
	return raw, answer.StatusCode, nil
}

func unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if inner, ok := errors.AsType[*url.Error](err); ok {
		err = inner.Err // without the address of the request, which people did not type
	}
	return fmt.Errorf("%w: %w", ErrUnreachable, err)
}

func readProblem(answer *http.Response) error {
	p := &Problem{}
	raw, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if !strings.HasPrefix(answer.Header.Get("Content-Type"), problemType) || json.Unmarshal(raw, p) != nil || p.Code == "" {
		title := http.StatusText(answer.StatusCode)
		return &Problem{
			Status: answer.StatusCode, Title: title, Code: "not_telltale",
			Detail: fmt.Sprintf("Something that is not Telltale answered %d %s.", answer.StatusCode, title),
			Hint:   "Check the address of the server, and a proxy in between.",
		}
	}
	return p
}

func discard(answer *http.Response) {
	_, _ = io.CopyN(io.Discard, answer.Body, 1<<16)
	_ = answer.Body.Close()
}

// Error is the problem in one sentence.
func (p *Problem) Error() string { return p.Detail }
