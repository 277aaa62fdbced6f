package api

import (
	"net/http"
	"strings"
	"testing"

	"telltale/backend/action"
	"telltale/backend/engine"
	"telltale/backend/feed"
	"telltale/backend/job"
)

func TestThePageIsServedFromMemory(t *testing.T) {
	t.Parallel()
	h := open(t, func(o *Options, _ *feed.Options) { o.Static = page() })
	for path, c := range map[string]struct {
		status      int
		kind, cache string
	}{
		"/":                     {200, "text/html; charset=utf-8", "no-cache"},
		"/index.html":           {200, "text/html; charset=utf-8", "no-cache"},
		"/jobs/01939f6e":        {200, "text/html; charset=utf-8", "no-cache"},
		"/history":              {200, "text/html; charset=utf-8", "no-cache"},
		"/history?state=failed": {200, "text/html; charset=utf-8", "no-cache"},
		"/assets/index-1a2b.js": {200, "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"},
		"/favicon.svg":          {200, "image/svg+xml", "no-cache"},
		"/assets/old-9999.js":   {404, problemType, "no-store"},
		"/missing.png":          {404, problemType, "no-store"},
		"/.gitkeep":             {404, problemType, "no-store"},
		"/api/v1/nothing":       {404, problemType, "no-store"},
		"/a//b":                 {404, problemType, "no-store"},
	} {
		a := h.do("GET", path, "")
		if a.StatusCode != c.status || a.Header.Get("Content-Type") != c.kind || a.Header.Get("Cache-Control") != c.cache {
			t.Errorf("%s: %d %s, %s", path, a.StatusCode, a.Header.Get("Content-Type"), a.Header.Get("Cache-Control"))
		}
		if c.status != 200 {
			continue
		}
		if same := h.do("GET", path, "", "If-None-Match", a.Header.Get("ETag")); same.StatusCode != http.StatusNotModified || len(same.body) > 0 {
			t.Errorf("%s again: %d", path, same.StatusCode)
		}
		if head := h.do("HEAD", path, ""); head.StatusCode != http.StatusOK || len(head.body) > 0 {
			t.Errorf("HEAD %s: %d", path, head.StatusCode)
		}
	}
	if a := h.do("POST", "/", `{}`); a.StatusCode != http.StatusMethodNotAllowed || a.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST /: %d", a.StatusCode)
	}
}

func TestABuildWithoutAPageSaysSo(t *testing.T) {
	t.Parallel()
	h := open(t)
	if p := h.do("GET", "/", "").problem(t); p.Status != 404 || !strings.Contains(p.Hint, "/docs") {
		t.Errorf("%+v", p)
	}
}

func TestTheDocsPageLoadsNothingFromElsewhere(t *testing.T) {
	t.Parallel()
	h := open(t)
	text := string(h.do("GET", "/docs", "").body)
	for _, bad := range []string{"<script", "style=", "http://", "https://", "onclick", "<no value>"} {
		if strings.Contains(text, bad) {
			t.Errorf("the page holds %s", bad)
		}
	}
	for _, r := range routes() {
		if !strings.Contains(text, `id="`+r.id+`"`) {
			t.Errorf("no %s", r.id)
		}
	}
	for _, f := range faults() {
		if !strings.Contains(text, `id="`+f.code+`"`) {
			t.Errorf("no %s", f.code)
		}
	}
	style := h.do("GET", "/docs/style.css", "")
	if style.StatusCode != http.StatusOK || style.Header.Get("Content-Type") != "text/css; charset=utf-8" {
		t.Errorf("style: %d %s", style.StatusCode, style.Header.Get("Content-Type"))
	}
	if spec := h.do("GET", "/openapi.json", ""); spec.StatusCode != http.StatusOK || decoded[map[string]any](t, spec.body)["openapi"] != "3.1.0" {
		t.Errorf("openapi.json: %d", spec.StatusCode)
	}
}

func TestReadyHealthAndTrouble(t *testing.T) {
	t.Parallel()
	var state error
	h := open(t, func(o *Options, _ *feed.Options) {
		o.Ready = func() error { return state }
		o.Trouble = func() *action.Faults {
			return &action.Faults{File: "telltale.yaml", List: []action.Fault{{Line: 3, Column: 5, Message: "There is no key colour.", Hint: "Did you mean command?"}}}
		}
	})
	for _, c := range []struct {
		err    error
		status int
		code   string
	}{
		{nil, 200, ""},
		{engine.ErrDraining, 503, "draining"},
		{&job.FullError{Dir: "/secret/place", Free: 1 << 20, Need: 9 << 20}, 507, "storage_full"},
		{http.ErrAbortHandler, 503, "not_ready"},
	} {
		state = c.err
		a := h.do("GET", "/readyz", "")
		if a.StatusCode != c.status || (c.code != "" && a.problem(t).Code != c.code) || strings.Contains(string(a.body), "secret") {
			t.Errorf("%v: %d %s", c.err, a.StatusCode, a.body)
		}
		h.mustAnswer(t)
	}
	all := decoded[Actions](t, h.do("GET", "/api/v1/actions", "").body)
	if all.Trouble == nil || all.Trouble.Faults[0].Line != 3 || all.Trouble.Faults[0].Hint == "" {
		t.Errorf("%+v", all.Trouble)
	}
	table := h.do("GET", "/api/v1/catalog", "", "Accept", "text/markdown")
	if !strings.Contains(string(table.body), "| targeted | ") || table.Header.Get("Content-Type") != "text/markdown; charset=utf-8" {
		t.Errorf("%s", table.body)
	}
	if a := h.do("GET", "/api/v1/catalog", "", "Accept", "image/png"); a.problem(t).Code != "not_acceptable" {
		t.Errorf("%s", a.body)
	}
}

func TestR93_OnlyLoopbackIsListenedOn(t *testing.T) {
	t.Parallel()
	for address, good := range map[string]bool{
		"127.0.0.1:8080": true, "127.9.9.9:0": true, "[::1]:8080": true, "localhost:80": true,
		":8080": false, "0.0.0.0:8080": false, "[::]:8080": false, "192.168.1.5:80": false, "example.com:80": false, "localhost": false,
		"": false, "localhost.evil.com:80": false, "[::ffff:10.0.0.1]:80": false,
	} {
		if err := CheckListen(address); (err == nil) != good {
			t.Errorf("%q: %v", address, err)
		}
	}
	if err := CheckListen("0.0.0.0:80"); !strings.Contains(err.Error(), "ssh -L") {
		t.Errorf("it does not say what to do: %v", err)
	}
}
