package api

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"telltale/backend/action"
	"telltale/backend/feed"
)

// firstStatus is the status of the first answer in raw bytes, 0 for none.
func firstStatus(raw string) int {
	var status int
	if _, err := fmt.Sscanf(raw, "HTTP/1.1 %d", &status); err != nil {
		return 0
	}
	return status
}

// TestR73_MalformedRequestsAreRefused is a contract with the HTTP library: an
// older fasthttp (the one Fiber brings) answers most of these, some of them
// twice. The second request of each is the one that must not be answered.
func TestR73_MalformedRequestsAreRefused(t *testing.T) {
	t.Parallel()
	h := open(t)
	const host = "Host: localhost\r\n"
	const post = "POST /api/v1/actions/one/jobs HTTP/1.1\r\n" + host + "Content-Type: application/json\r\n"
	const smuggled = "GET /healthz?smuggled HTTP/1.1\r\n" + host + "\r\n"
	for name, request := range map[string]string{
		"length and chunked":        post + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled,
		"two lengths":               post + "Content-Length: 2\r\nContent-Length: 8\r\n\r\n{}abcdef" + smuggled,
		"length with a sign":        post + "Content-Length: +2\r\n\r\n{}",
		"unknown transfer coding":   post + "Transfer-Encoding: xchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
		"space before the colon":    post + "Transfer-Encoding : chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
		"LF in a chunk extension":   post + "Transfer-Encoding: chunked\r\n\r\n2;a\nb\r\n{}\r\n0\r\n\r\n",
		"bare LF chunk lines":       post + "Transfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n",
		"bare CR in a header":       "GET /healthz HTTP/1.1\r\n" + host + "X-A: b\rInjected: c\r\n\r\n",
		"NUL in a header":           "GET /healthz HTTP/1.1\r\n" + host + "X-A: b\x00c\r\n\r\n",
		"no host":                   "GET /healthz HTTP/1.1\r\n\r\n",
		"two hosts":                 "GET /healthz HTTP/1.1\r\n" + host + "Host: evil\r\n\r\n",
		"bare LF header lines":      "GET /healthz HTTP/1.1\nHost: localhost\n\n",
		"a method that is not one":  "BREW /healthz HTTP/1.1\r\n" + host + "\r\n",
		"not HTTP":                  "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
		"lower-case method":         "get /healthz HTTP/1.1\r\n" + host + "\r\n",
		"request line without HTTP": "GET /healthz\r\n" + host + "\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw := h.raw(request, 400*time.Millisecond)
			status := firstStatus(raw)
			if n := strings.Count(raw, "HTTP/1.1 "); n > 1 {
				t.Errorf("%d answers: %s", n, raw)
			}
			if strings.Contains(raw, `{"status":"ok"}`) {
				t.Errorf("it was answered: %s", raw)
			}
			waited := name == "bare LF header lines" // this is not the end of a request
			if refused := status >= 400 && status < 500; !refused && (!waited || status != 0) {
				t.Errorf("answered %d: %s", status, raw)
			}
			if status >= 400 && !strings.Contains(raw, problemType) {
				t.Errorf("not a problem: %s", raw)
			}
			if strings.Contains(raw, "Injected") || strings.Contains(raw, "evil") {
				t.Errorf("the answer repeats the request: %s", raw)
			}
		})
	}
	h.mustAnswer(t)
}

// mustAnswer checks that the process is well.
func (h *house) mustAnswer(tb testing.TB) {
	tb.Helper()
	if a := h.do("GET", "/healthz", ""); a.StatusCode != http.StatusOK {
		tb.Errorf("health: %d %s", a.StatusCode, a.body)
	}
}

func TestR75_LargeHeadsAreRefused(t *testing.T) {
	t.Parallel()
	h := open(t)
	line := "GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
	for name, c := range map[string]struct {
		request string
		status  int
	}{
		"header of 64 KiB":  {line + "X-Big: " + strings.Repeat("a", 64<<10) + "\r\n\r\n", 431},
		"10,000 headers":    {line + strings.Repeat("X-A: b\r\n", 10_000) + "\r\n", 431},
		"address of 64 KiB": {"GET /" + strings.Repeat("a", 64<<10) + " HTTP/1.1\r\nHost: localhost\r\n\r\n", 431},
		"address of 10 KiB": {"GET /" + strings.Repeat("a", 10<<10) + " HTTP/1.1\r\nHost: localhost\r\n\r\n", 414},
		"cookie of 20 KiB":  {line + "Cookie: a=" + strings.Repeat("b", 20<<10) + "\r\n\r\n", 431},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw := h.raw(c.request, time.Second)
			if got := firstStatus(raw); got != c.status && got != 0 { // 0: the connection was closed before we had sent it all
				t.Errorf("answered %d, want %d: %.200s", got, c.status, raw)
			}
		})
	}
	h.mustAnswer(t)
}

func TestR76_LargeBodiesAreRefused(t *testing.T) {
	t.Parallel()
	h := open(t)
	const post = "POST /api/v1/actions/one/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
	endless := post + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("8000\r\n"+strings.Repeat(" ", 0x8000)+"\r\n", 40)
	for name, request := range map[string]string{
		"10 MB announced": post + "Content-Length: 10485760\r\n\r\n{",
		"10 MB sent":      post + "Content-Length: 10485760\r\n\r\n" + strings.Repeat(" ", 10<<20),
		"chunks, endless": endless,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw := h.raw(request, time.Second)
			if got := firstStatus(raw); got != 413 && got != 0 {
				t.Errorf("answered %d: %.300s", got, raw)
			}
			if name == "10 MB announced" && firstStatus(raw) != 413 {
				t.Errorf("answered %.300q", raw)
			}
		})
	}
	// A bomb is not even looked into.
	p := h.do("POST", "/api/v1/actions/one/jobs", "\x1f\x8b\x08\x00\x00", "Content-Encoding", "gzip").problem(t)
	if p.Status != 415 {
		t.Errorf("compressed body: %+v", p)
	}
	if len(h.stage.runs) > 0 {
		t.Error("something was started")
	}
	h.mustAnswer(t)
}

func TestR77_HostileJSONIsRefusedCheaply(t *testing.T) { // not parallel: it counts memory
	for name, body := range map[string]string{
		"500,000 levels of lists":   strings.Repeat("[", 500_000),
		"100,000 levels of objects": strings.Repeat(`{"a":`, 100_000),
		"levels inside params":      `{"params":{"a":` + strings.Repeat("[", 100_000),
		"a number of 1 MB":          `{"params":{"a":` + strings.Repeat("9", 1_000_000) + `}}`,
		"an exponent":               `{"params":{"a":1e1000000}}`,
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := decode[TriggerBody]([]byte(body))
			runtime.ReadMemStats(&after)
			if err == nil {
				t.Error("accepted")
			}
			bytes := after.TotalAlloc - before.TotalAlloc
			if bytes > 8<<20 {
				t.Errorf("took %d bytes", bytes)
			}
		})
	}
}

func TestR78_FormTricksAreRefused(t *testing.T) {
	t.Parallel()
	h := open(t)
	for _, path := range []string{
		"/api/v1/jobs?items[999999999]=1", "/api/v1/jobs?action[]=x", "/api/v1/events?topics[9999999]=jobs", "/api/v1/jobs?%zz=1",
		"/api/v1/jobs?a=1;b=2", "/api/v1/jobs/01939f6e-7c1e-7a5e-8000-000000000001?x=1",
	} {
		if p := h.do("GET", path, "").problem(t); p.Status != 400 {
			t.Errorf("%s: %+v", path, p)
		}
	}
}

func TestR79_R80_R81_OnlyOurOwnHostIsAnswered(t *testing.T) {
	t.Parallel()
	h := open(t, func(o *Options, _ *feed.Options) { o.Hosts = []string{"Telltale.example"} })
	for host, status := range map[string]int{
		"localhost": 200, "LOCALHOST:8080": 200, "127.0.0.1:1": 200, "[::1]:8080": 200, "[::1]": 200, "telltale.example": 200,
		"evil.com": 421, "localhost.evil.com": 421, "127.0.0.1.evil.com": 421, "evil.com:80": 421, "localhost:80:80": 421,
		"localhost@evil.com": 421, "[::1": 421, "[::1]x": 421, "127.0.0.2": 421, "0.0.0.0": 421, "::1": 421, "localhost:": 421,
		"localhost:http": 421, "localhost.": 421,
	} {
		raw := h.raw("GET /healthz HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\n\r\n", 5*time.Second)
		if got := firstStatus(raw); got != status && (status != 421 || got != 400) {
			t.Errorf("host %q: %d, want %d", host, got, status)
		}
		if status != 200 && strings.Contains(raw, "evil") {
			t.Errorf("host %q is repeated", host)
		}
	}
	for _, header := range []string{"X-Forwarded-Host", "X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "X-Real-Ip", "Remote-User"} {
		a := h.do("POST", "/api/v1/actions/many/jobs", `{}`, header, "evil.com")
		if a.StatusCode != http.StatusAccepted || strings.Contains(string(a.body)+fmt.Sprint(a.Header), "evil") {
			t.Errorf("%s changed the answer: %d %s", header, a.StatusCode, a.body)
		}
	}
	for target, status := range map[string]int{
		"http://evil.com/healthz": 421, "http://localhost/healthz": 200, "//evil.com/healthz": 404, "http://localhost@evil.com/healthz": 421,
	} {
		raw := h.raw("GET "+target+" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 5*time.Second)
		if got := firstStatus(raw); got != status && (status != 421 || got != 400) {
			t.Errorf("target %s: %d, want %d", target, got, status)
		}
	}
}

func TestR82_PathTricksFindNothing(t *testing.T) {
	t.Parallel()
	h := open(t, func(o *Options, _ *feed.Options) { o.Static = page() })
	for _, trick := range []string{
		"..", "%2e%2e", "..%2f..%2fetc%2fpasswd", "%2F", `..\..\windows`, "%5c..%5c", "%00", "01939f6e-7c1e-7a5e-8000-000000000001%00",
		"%252e%252e%252f", "%c0%ae%c0%ae", "%ff", "a%0d%0aSet-Cookie:x", "%E2%80%AE", "'%20or%201=1", "{id}", "*", "~root", "CON",
		"01939F6E-7C1E-7A5E-8000-000000000001", "01939f6e-7c1e-7a5e-8000-000000000001%20",
	} {
		for _, c := range []struct{ method, path string }{
			{"GET", "/api/v1/jobs/" + trick},
			{"GET", "/api/v1/jobs/" + trick + "/status"},
			{"GET", "/api/v1/jobs/" + trick + "/log"},
			{"POST", "/api/v1/jobs/" + trick + "/cancel"},
			{"POST", "/api/v1/jobs/" + trick + "/retry"},
			{"POST", "/api/v1/actions/" + trick + "/jobs"},
			{"PUT", "/api/v1/events/" + trick + "/topics"},
			{"GET", "/" + trick + "/../etc/passwd"},
			{"GET", "/assets/" + trick},
		} {
			end := "\r\n"
			if c.method != "GET" {
				end = "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
			}
			raw := h.raw(c.method+" "+c.path+" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"+end, 5*time.Second)
			if got := firstStatus(raw); got != 404 && got != 400 {
				t.Errorf("%s %s: %d", c.method, c.path, got)
			}
			if strings.Contains(raw, "Set-Cookie") || strings.Contains(raw, "root:") {
				t.Errorf("%s %s: %s", c.method, c.path, raw)
			}
		}
	}
}

func TestR85_APanicIsAnsweredAndTheProcessLives(t *testing.T) {
	t.Parallel()
	broken := false
	h := open(t, func(o *Options, _ *feed.Options) {
		good := o.Catalog
		o.Catalog = func() *action.Catalog {
			if broken {
				panic("secret inside")
			}
			return good()
		}
	})
	broken = true
	a := h.do("GET", "/api/v1/actions", "")
	p := a.problem(t)
	if p.Status != 500 || p.Code != "internal" || strings.Contains(string(a.body), "secret") {
		t.Errorf("%s", a.body)
	}
	if !strings.Contains(h.log.String(), p.RequestID) || !strings.Contains(h.log.String(), "secret inside") {
		t.Error("the log does not tell what happened")
	}
	h.mustAnswer(t)
}

func TestR90_R92_OtherSitesGetNothing(t *testing.T) {
	t.Parallel()
	h := open(t)
	const path = "/api/v1/actions/many/jobs"
	for _, c := range []struct {
		name   string
		header []string
		status int
	}{
		{"a program", nil, 202},
		{"our page", []string{"Sec-Fetch-Site", "same-origin", "Origin", "http://" + h.addr}, 202},
		{"our page, plain", []string{"Origin", "http://" + h.addr}, 202},
		{"the address bar", []string{"Sec-Fetch-Site", "none"}, 202},
		{"another site", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.com"}, 403},
		{"another port", []string{"Sec-Fetch-Site", "same-site", "Origin", "http://localhost:1"}, 403},
		{"another site, plain", []string{"Origin", "https://evil.com"}, 403},
		{"a name that only begins right", []string{"Origin", "http://" + h.addr + ".evil.com"}, 403},
		{"a sandboxed frame", []string{"Origin", "null"}, 403},
		{"nonsense", []string{"Sec-Fetch-Site", "same-origin, cross-site"}, 403},
	} {
		a := h.do("POST", path, `{}`, c.header...)
		if a.StatusCode != c.status {
			t.Errorf("%s: %d, want %d", c.name, a.StatusCode, c.status)
		}
		if c.status == 403 && a.problem(t).Code != "cross_site" {
			t.Errorf("%s: %s", c.name, a.body)
		}
		for name := range a.Header {
			if strings.HasPrefix(name, "Access-Control") {
				t.Errorf("%s: header %s", c.name, name)
			}
		}
	}
	if started := len(h.stage.runs); started > 4 {
		t.Errorf("%d runs of 4 began", started)
	}
	for _, origin := range []string{"https://evil.com", "null", "http://localhost.evil.com"} {
		a := h.do("OPTIONS", path, "", "Origin", origin, "Access-Control-Request-Method", "POST")
		if a.Header.Get("Access-Control-Allow-Origin") != "" || a.StatusCode != http.StatusMethodNotAllowed || a.Header.Get("Allow") != "POST" {
			t.Errorf("preflight from %s: %d %v", origin, a.StatusCode, a.Header)
		}
	}
}

func TestR108_TheLogCannotBeForged(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.raw("GET /a%0a%0d{\"level\":\"ERROR\"}\x1b[2J HTTP/1.1\r\nHost: localhost\r\nUser-Agent: a\x1b]0;b\r\nConnection: close\r\n\r\n", time.Second)
	h.do("GET", "/api/v1/jobs?q=quite-private", "")
	log := h.log.String()
	if strings.ContainsAny(log, "\x1b\r") || strings.Contains(log, "quite-private") {
		t.Errorf("%q", log)
	}
	for line := range strings.Lines(log) {
		if !strings.HasPrefix(line, `{"time":`) || strings.Count(line, `"level":"`) != 1 {
			t.Errorf("line %q", line)
		}
	}
}

func TestEveryAnswerTellsTheBrowserHowLittleToAllow(t *testing.T) {
	t.Parallel()
	h := open(t, func(o *Options, _ *feed.Options) { o.Static = page() })
	for _, path := range []string{"/", "/assets/index-1a2b.js", "/nothing.here", "/api/v1/jobs", "/api/v1/nothing", "/docs", "/openapi.json"} {
		a := h.do("GET", path, "")
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := a.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
		csp := a.Header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") {
			t.Errorf("%s: %q", path, csp)
		}
		if a.Header.Get("Server") != "" || a.Header.Get("X-Request-Id") == "" {
			t.Errorf("%s: %v", path, a.Header)
		}
	}
}

func TestR109_NothingIsThereForDebugging(t *testing.T) {
	t.Parallel()
	h := open(t)
	for _, path := range []string{"/debug/pprof/", "/debug/vars", "/metrics", "/.git/config", "/.env", "/api", "/api/", "/api/v2/jobs"} {
		if a := h.do("GET", path, ""); a.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, a.StatusCode)
		}
	}
}
