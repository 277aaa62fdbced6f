package practice_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"telltale/app/practice"
)

// bench is a running service.
type bench struct{ url string }

func setup(t *testing.T) bench {
	t.Helper()
	s, err := practice.Start(t.Context(), "127.0.0.1:0", "good-key")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return bench{s.URL()}
}

// reply is an answer that was read in full.
type reply struct {
	status int
	header http.Header
	body   map[string]any
}

// ask sends a request and decodes the answer.
func (b bench) ask(t *testing.T, method, path, key, body string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, b.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	decoded := map[string]any{}
	if err := json.Unmarshal(text, &decoded); err != nil {
		t.Fatalf("%s %s: %v: %s", method, path, err, text)
	}
	return reply{res.StatusCode, res.Header, decoded}
}

func TestServiceSpeaksTheProtocol(t *testing.T) {
	t.Parallel()
	b := setup(t)
	list := b.ask(t, "GET", "/models", "good-key", "")
	if data, _ := list.body["data"].([]any); list.status != http.StatusOK || len(data) != 2 || list.header.Get("X-Request-Id") == "" {
		t.Errorf("models: %+v", list)
	}
	got := b.ask(t, "POST", "/chat/completions", "good-key", `{"model":"openai/gpt-5-nano","messages":[{"role":"user","content":"ping"}],"max_completion_tokens":2}`)
	text, err := json.Marshal(got.body["choices"])
	if err != nil || got.status != http.StatusOK || !strings.Contains(string(text), `"content":"Hello from"`) || !strings.Contains(string(text), `"finish_reason":"length"`) {
		t.Errorf("completion: %d %s", got.status, text)
	}
}

func TestServiceRefusesAsTheRealOneDoes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const ping = `"messages":[{"role":"user","content":"ping"}]`
	for _, test := range []struct {
		name, method, path, key, body string
		status                        int
		code                          string
	}{
		{"no key", "GET", "/models", "", "", 401, "missing_api_key"},
		{"wrong key", "GET", "/models", "bad-key", "", 401, "invalid_api_key"},
		{"longer key", "GET", "/models", "good-key2", "", 401, "invalid_api_key"},
		{"rate limited", "GET", "/models", practice.RateLimitedKey, "", 429, "rate_limit_exceeded"},
		{"unknown model", "POST", "/chat/completions", "good-key", `{"model":"x",` + ping + `}`, 404, "model_not_found"},
		{"no messages", "POST", "/chat/completions", "good-key", `{"model":"openai/gpt-5-nano"}`, 400, "missing_messages"},
		{"stream", "POST", "/chat/completions", "good-key", `{"model":"openai/gpt-5-nano","stream":true,` + ping + `}`, 400, "unsupported_value"},
		{"bad json", "POST", "/chat/completions", "good-key", `{`, 400, "invalid_json"},
		{"large", "POST", "/chat/completions", "good-key", `{"model":"` + strings.Repeat("x", 2<<20) + `"}`, 413, "request_too_large"},
		{"unknown path", "GET", "/nothing", "good-key", "", 404, "unknown_url"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := b.ask(t, test.method, test.path, test.key, test.body)
			said, _ := got.body["error"].(map[string]any)
			if got.status != test.status || said["code"] != test.code || said["message"] == "" {
				t.Errorf("%+v, want %d %s", got, test.status, test.code)
			}
			if limited := got.header.Get("Retry-After") != ""; limited != (test.status == 429) {
				t.Errorf("Retry-After %q", got.header.Get("Retry-After"))
			}
		})
	}
}

func TestServiceEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s, err := practice.Start(ctx, "127.0.0.1:0", "k")
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	s.Close()
	s.Close()
	if _, err := practice.Start(t.Context(), "256.0.0.1:0", "k"); err == nil {
		t.Error("listened on no address")
	}
}
