package runner

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"telltale/backend/action"
	"telltale/backend/job"
)

const goodKey = "sk-very-secret-0123456789"

// service speaks the protocol as far as the test needs it.
type service struct {
	models   func(http.ResponseWriter, *http.Request)
	complete func(http.ResponseWriter, *http.Request)
}

func (s service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Header.Get("Authorization") != "Bearer "+goodKey:
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `{"error":{"message":"Incorrect API key provided: %s"}}`, r.Header.Get("Authorization"))
	case r.URL.Path == "/v1/models" && s.models != nil:
		s.models(w, r)
	case r.URL.Path == "/v1/models":
		fmt.Fprint(w, `{"data":[{"id":"tiny"}]}`)
	case r.URL.Path == "/v1/chat/completions" && s.complete != nil:
		s.complete(w, r)
	case r.URL.Path == "/v1/chat/completions":
		var asked struct{ Model string }
		body, _ := io.ReadAll(r.Body)
		if json.Unmarshal(body, &asked) != nil || asked.Model != "tiny" {
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"error":"no such model"}`)
			return
		}
		fmt.Fprint(w, `{"model":"tiny-1","choices":[{"message":{"content":"ok"}}]}`)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// line of work: a test of a service with a stored key.
func apiBench(t *testing.T, address string) *bench {
	t.Helper()
	b := setup(t)
	b.action.Command = nil
	b.action.API = &action.API{Protocol: action.OpenAI, BaseURL: address, Key: action.Key{Secret: "KEY"}, Model: "tiny"}
	b.secrets = secrets{"KEY": goodKey}
	return b
}

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL + "/v1"
}

func (b *bench) states() string {
	var words []string
	for _, s := range b.steps {
		words = append(words, s.ID+"="+string(s.State))
	}
	return strings.Join(words, " ")
}

func TestAConnectionTestTellsEachStep(t *testing.T) {
	t.Parallel()
	b := apiBench(t, serve(t, service{}))
	o := b.run()
	if o.State != job.Succeeded || !strings.Contains(o.Summary, "tiny completed a request") {
		t.Fatalf("%+v %+v\n%s", o, o.Error, b.text())
	}
	if got := b.states(); got != "resolve=succeeded connect=succeeded tls=skipped authenticate=succeeded complete=succeeded" {
		t.Error(got)
	}
	for _, s := range b.steps {
		if s.StartedAt.IsZero() || s.FinishedAt.IsZero() || s.FinishedAt.Before(s.StartedAt) {
			t.Errorf("times of %+v", s)
		}
		if !strings.Contains(b.text(), s.ID+": ") {
			t.Errorf("the log says nothing of %s:\n%s", s.ID, b.text())
		}
	}
	if last := b.progress[len(b.progress)-1]; *last.Percent != 100 {
		t.Errorf("progress %+v", last)
	}
}

func TestAConnectionTestOverTLS(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(service{})
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	t.Cleanup(server.Close)
	b := apiBench(t, server.URL+"/v1")
	if o := b.run(); o.Error == nil || o.Error.Code != "tls" || b.states() != "resolve=succeeded connect=succeeded tls=failed authenticate=skipped complete=skipped" {
		t.Errorf("unknown authority: %+v %+v %s", o, o.Error, b.states())
	}
	if strings.Contains(b.text(), goodKey) {
		t.Error("the key is in the log")
	}
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	b.runners.kinds["api"].(*api).roots = pool
	if o := b.run(); o.State != job.Succeeded || !strings.Contains(b.text(), "tls: TLS 1.3") {
		t.Errorf("%+v %+v\n%s", o, o.Error, b.text())
	}
	b.action.API.BaseURL = strings.Replace(server.URL, "127.0.0.1", "localhost", 1) + "/v1"
	if o := b.run(); o.Error == nil || o.Error.Code != "tls" || !strings.Contains(o.Error.Message, "another name") {
		t.Errorf("wrong name: %+v", o.Error)
	}
	b.action.API.BaseURL = strings.Replace(serve(t, service{}), "http://", "https://", 1)
	if o := b.run(); o.Error == nil || o.Error.Code != "tls" || !strings.Contains(o.Error.Message, "does not speak TLS") {
		t.Errorf("no TLS: %+v", o.Error)
	}
}

func TestWhatGoesWrongInAConnectionTestIsToldApart(t *testing.T) {
	t.Parallel()
	status := func(code int, header, value, body string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			if header != "" {
				w.Header().Set(header, value)
			}
			w.WriteHeader(code)
			fmt.Fprint(w, body)
		}
	}
	for name, c := range map[string]struct {
		service service
		key     string
		model   string
		state   job.State
		code    string
		step    string
		words   string // in message or hint
	}{
		"wrong key":        {key: "sk-wrong-key-00000", state: job.Failed, code: "unauthorized", step: "authenticate=failed", words: "The key was refused."},
		"forbidden":        {service: service{models: status(403, "", "", "")}, state: job.Failed, code: "unauthorized", step: "authenticate=failed", words: "The key was refused."},
		"rate limit":       {service: service{complete: status(429, "Retry-After", "20", `{"error":{"message":"slow down"}}`)}, state: job.Warning, code: "rate_limited", step: "complete=warning", words: "Try again in 20s."},
		"early rate limit": {service: service{models: status(429, "", "", "")}, state: job.Warning, code: "rate_limited", step: "authenticate=warning complete=skipped", words: "Try again later"},
		"no model":         {model: "huge", state: job.Failed, code: "model_not_found", step: "complete=failed", words: "no such model"},
		"server fault":     {service: service{models: status(502, "", "", "<html>bad gateway")}, state: job.Failed, code: "service_error", step: "authenticate=failed", words: "status 502"},
		"no credit":        {service: service{complete: status(402, "", "", `{"detail":"top up"}`)}, state: job.Failed, code: "payment_required", step: "complete=failed", words: "top up"},
		"not an API":       {service: service{complete: status(200, "", "", "<html>hello")}, state: job.Failed, code: "bad_answer", step: "complete=failed", words: "/v1"},
		"endless answer":   {service: service{models: status(200, "", "", strings.Repeat("x", maxResponse+10))}, state: job.Failed, code: "bad_answer", step: "authenticate=failed", words: "more than 1024 KiB"},
		"no list":          {service: service{models: status(404, "", "", "")}, state: job.Succeeded, step: "authenticate=skipped complete=succeeded"},
		"old parameter": {service: service{complete: func(w http.ResponseWriter, r *http.Request) {
			if body, _ := io.ReadAll(r.Body); strings.Contains(string(body), "max_completion_tokens") {
				status(400, "", "", `{"error":{"message":"unknown field max_completion_tokens"}}`)(w, r)
				return
			}
			fmt.Fprint(w, `{"choices":[{}]}`)
		}}, state: job.Succeeded, step: "complete=succeeded"},
		"hangs up": {service: service{models: func(w http.ResponseWriter, _ *http.Request) {
			conn, _, _ := w.(http.Hijacker).Hijack()
			conn.Close()
		}}, state: job.Failed, code: "cut", step: "authenticate=failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := apiBench(t, serve(t, c.service))
			if c.key != "" {
				b.secrets["KEY"] = c.key
			}
			if c.model != "" {
				b.action.API.Model = c.model
			}
			o := b.run()
			if o.State != c.state || !strings.Contains(b.states(), c.step) {
				t.Errorf("%+v %+v %s", o, o.Error, b.states())
			}
			said := o.Error
			if o.State == job.Warning {
				for _, s := range b.steps {
					if s.Error != nil {
						said = s.Error
					}
				}
				if len(b.warnings) != 1 {
					t.Errorf("warnings %+v", b.warnings)
				}
			}
			if c.code != "" && (said == nil || said.Code != c.code || said.Hint == "" || !strings.Contains(said.Message+said.Hint, c.words)) {
				t.Errorf("%+v", said)
			}
			for _, secret := range []string{goodKey, "sk-wrong-key-00000"} {
				if strings.Contains(b.text(), secret) || said != nil && strings.Contains(said.Message, secret) {
					t.Errorf("the key is shown: %s %+v", b.text(), said)
				}
			}
		})
	}
}

func TestAConnectionTestWithoutItsKeySaysSo(t *testing.T) {
	t.Parallel()
	b := apiBench(t, serve(t, service{}))
	b.secrets = nil
	if o := b.run(); o.State != job.Failed || o.Error.Code != "key_missing" || !strings.Contains(o.Error.Hint, "KEY") {
		t.Errorf("%+v %+v", o, o.Error)
	}
	b.action.Params = []action.Param{{Name: "key", Type: action.SecretParam}}
	b.action.API.Key.Param = "key"
	b.params = map[string]any{"key": goodKey}
	if o := b.run(); o.State != job.Succeeded {
		t.Errorf("a key that was filled in: %+v %+v", o, o.Error)
	}
	b.params = map[string]any{"key": "two words"}
	if o := b.run(); o.Error == nil || o.Error.Code != "key_malformed" {
		t.Errorf("%+v %+v", o, o.Error)
	}
}

func TestAddressesThatLeadNowhereAreToldApart(t *testing.T) {
	t.Parallel()
	for address, code := range map[string]string{
		"http://127.0.0.1:1/v1":          "unreachable",
		"http://no-such-host.invalid/v1": "dns",
		"ftp://127.0.0.1/":               "bad_address",
		"http://user:pw@127.0.0.1/":      "bad_address",
		"nonsense":                       "bad_address",
	} {
		b := apiBench(t, address)
		if o := b.run(); o.State != job.Failed || o.Error.Code != code || o.Error.Hint == "" {
			t.Errorf("%s: %+v %+v", address, o, o.Error)
		}
	}
}

func TestTheKeyDoesNotFollowARedirectToAnotherHost(t *testing.T) {
	t.Parallel()
	seen := make(chan string, 4)
	thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Header.Get("Authorization")
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(thief.Close)
	b := apiBench(t, serve(t, service{models: func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, thief.URL+"/v1/models", http.StatusTemporaryRedirect)
	}}))
	if o := b.run(); o.Error == nil || o.Error.Code != "unauthorized" {
		t.Errorf("%+v %+v", o, o.Error)
	}
	if got := <-seen; got != "" {
		t.Errorf("the other host saw %q", got)
	}
	loop := apiBench(t, serve(t, service{models: func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Path, http.StatusTemporaryRedirect)
	}}))
	if o := loop.run(); o.Error == nil || o.Error.Code != "redirects" {
		t.Errorf("%+v %+v", o, o.Error)
	}
}

func TestAStoppedConnectionTestEndsAtOnce(t *testing.T) {
	t.Parallel()
	silent, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	b := apiBench(t, "http://"+silent.Addr().String())
	stop := b.start()
	b.await(t, "tls: not used")
	canceled(t, stop)
}
