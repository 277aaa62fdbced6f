package api

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"

	"telltale/backend/job"
)

// BenchmarkRequest measures one request at a time over a kept connection.
func BenchmarkRequest(b *testing.B) {
	h := open(b)
	e := h.finish("one")
	for range 30 {
		h.finish("many")
	}
	id := string(e.Job.ID)
	for name, request := range map[string]string{
		"health":  "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"status":  "GET /api/v1/jobs/" + id + "/status HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"304":     "GET /api/v1/jobs/" + id + "/status HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: " + etag(e.Job.ID, e.Job.Rev) + "\r\n\r\n",
		"history": "GET /api/v1/jobs?limit=30 HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"actions": "GET /api/v1/actions HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"trigger": "POST /api/v1/actions/reject/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
	} {
		b.Run(name, func(b *testing.B) {
			conn, err := (&net.Dialer{}).DialContext(b.Context(), "tcp", h.addr)
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			in := bufio.NewReader(conn)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := io.WriteString(conn, request); err != nil {
					b.Fatal(err)
				}
				res, err := http.ReadResponse(in, nil)
				if err != nil {
					b.Fatal(err)
				}
				body, err := io.ReadAll(res.Body)
				_ = res.Body.Close()
				if err != nil || res.StatusCode >= http.StatusInternalServerError {
					b.Fatalf("%d %s %v", res.StatusCode, body, err)
				}
				if name == "trigger" && res.StatusCode == http.StatusAccepted {
					b.StopTimer()
					p := h.next()
					p.succeed()
					h.becomes(p.Job, job.Succeeded)
					b.StartTimer()
				}
			}
		})
	}
}
