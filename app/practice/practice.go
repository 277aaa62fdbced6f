// Package practice is a small service on this machine that speaks the
// OpenAI-compatible protocol, so that a connection test has something real to
// talk to before there is a network, an account or a key. It is HTTP over a
// socket like any other service: nothing in Telltale knows that it is its own.
//
// It knows one key. Any other key is refused with 401, the key
// [RateLimitedKey] with 429; a model it does not have is 404.
package practice

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// RateLimitedKey is a key that is always over its limit.
const RateLimitedKey = "practice-rate-limited"

// The models it has. SlowModel takes several seconds, long enough to watch.
const (
	Model     = "openai/gpt-5-nano"
	SlowModel = "practice/slow"
)

// How long it takes, about as long as a near service does.
const (
	lookTime  = 20 * time.Millisecond
	thinkTime = 150 * time.Millisecond
	slowTime  = 4 * time.Second
)

// maxBody is the most bytes of a request it reads.
const maxBody = 1 << 20

// Server is a running practice service.
type Server struct {
	listener net.Listener
	http     *http.Server
	done     chan struct{}
}

// Start listens and serves until Close, or until ctx ends. listen is host:port;
// port 0 takes a free one. key is the key it accepts.
func Start(ctx context.Context, listen, key string) (*Server, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", listen)
	if err != nil {
		return nil, fmt.Errorf("practice service: %w", err)
	}
	s := &Server{
		listener: listener,
		http: &http.Server{
			Handler:           Handler(key),
			ReadHeaderTimeout: 5 * time.Second,
			ReadTimeout:       10 * time.Second,
			WriteTimeout:      30 * time.Second,
			IdleTimeout:       30 * time.Second,
			MaxHeaderBytes:    16 << 10,
			BaseContext:       func(net.Listener) context.Context { return ctx },
		},
		done: make(chan struct{}),
	}
	stop := context.AfterFunc(ctx, s.Close)
	go func() {
		defer close(s.done)
		defer stop()
		_ = s.http.Serve(listener) // always an error; Close is the way it ends
	}()
	return s, nil
}

// URL is the base of the protocol: http://host:port/v1.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() + "/v1" }

// Close stops it at once and waits until it did. It may be called twice.
func (s *Server) Close() {
	_ = s.http.Close() // what fails to close is gone with the listener
	<-s.done
}

// service answers requests.
type service struct {
	key      string
	requests atomic.Int64
}

// Handler is the service without its socket.
func Handler(key string) http.Handler {
	s := &service{key: key}
	routes := http.NewServeMux()
	routes.HandleFunc("GET /v1/models", s.models)
	routes.HandleFunc("POST /v1/chat/completions", s.complete)
	routes.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, http.StatusNotFound, "invalid_request_error", "unknown_url", "There is nothing at "+r.Method+" "+strconv.QuoteToASCII(r.URL.Path)+".")
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Request-Id", "req_practice_"+strconv.FormatInt(s.requests.Add(1), 10))
		if s.admit(w, r) {
			routes.ServeHTTP(w, r)
		}
	})
}

// admit checks the key, and answers when it is not good.
func (s *service) admit(w http.ResponseWriter, r *http.Request) bool {
	key, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case !found || key == "":
		w.Header().Set("WWW-Authenticate", "Bearer")
		refuse(w, http.StatusUnauthorized, "invalid_request_error", "missing_api_key", "You did not provide an API key. Send it as Authorization: Bearer KEY.")
		return false
	case key == RateLimitedKey:
		w.Header().Set("Retry-After", "20")
		refuse(w, http.StatusTooManyRequests, "requests", "rate_limit_exceeded", "Rate limit reached. Please try again in 20s.")
		return false
	case subtle.ConstantTimeCompare([]byte(key), []byte(s.key)) != 1:
		w.Header().Set("WWW-Authenticate", "Bearer")
		refuse(w, http.StatusUnauthorized, "invalid_request_error", "invalid_api_key", "Incorrect API key provided.")
		return false
	}
	return true
}

// model is one entry of the list of models.
type model struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
}

// models lists the models.
func (s *service) models(w http.ResponseWriter, r *http.Request) {
	if !pause(r.Context(), lookTime) {
		return
	}
	var list []model
	for _, id := range []string{Model, SlowModel} {
		list = append(list, model{ID: id, Object: "model", Created: 1767225600, OwnedBy: "practice"})
	}
	answer(w, http.StatusOK, map[string]any{"object": "list", "data": list})
}

// completion is what is asked for.
type completion struct {
	Model    string `json:"model"`
	Stream   bool   `json:"stream"`
	Messages []struct {
		Role    string          `json:"role"`
		Content json.RawMessage `json:"content"`
	} `json:"messages"`
	MaxTokens           int `json:"max_tokens"`
	MaxCompletionTokens int `json:"max_completion_tokens"`
}

// complete answers one prompt, in as many words as it may.
func (s *service) complete(w http.ResponseWriter, r *http.Request) {
	var asked completion
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&asked)
	switch tooLarge := new(http.MaxBytesError); {
	case errors.As(err, &tooLarge):
		refuse(w, http.StatusRequestEntityTooLarge, "invalid_request_error", "request_too_large", "The request has more than 1 MiB.")
		return
	case err != nil:
		refuse(w, http.StatusBadRequest, "invalid_request_error", "invalid_json", "The body is not the JSON of a completion.")
		return
	case asked.Model != Model && asked.Model != SlowModel:
		refuse(w, http.StatusNotFound, "invalid_request_error", "model_not_found", "The model "+strconv.QuoteToASCII(asked.Model)+" does not exist or you do not have access to it.")
		return
	case len(asked.Messages) == 0:
		refuse(w, http.StatusBadRequest, "invalid_request_error", "missing_messages", "There are no messages.")
		return
	case asked.Stream:
		refuse(w, http.StatusBadRequest, "invalid_request_error", "unsupported_value", "The practice service does not stream.")
		return
	}
	takes := thinkTime
	if asked.Model == SlowModel {
		takes = slowTime
	}
	if !pause(r.Context(), takes) {
		return
	}
	answer(w, http.StatusOK, s.reply(asked))
}

// reply builds the answer to a completion; a word counts as a token.
func (s *service) reply(asked completion) map[string]any {
	words, reason := []string{"Hello", "from", "the", "practice", "service."}, "stop"
	for _, limit := range []int{asked.MaxTokens, asked.MaxCompletionTokens} {
		if limit > 0 && limit < len(words) {
			words, reason = words[:limit], "length"
		}
	}
	prompt := 0
	for _, m := range asked.Messages {
		prompt += max(1, len(strings.Fields(string(m.Content))))
	}
	return map[string]any{
		"id": "chatcmpl-practice-" + strconv.FormatInt(s.requests.Load(), 10), "object": "chat.completion", "model": asked.Model, "created": 1767225600,
		"choices": []any{map[string]any{
			"index": 0, "finish_reason": reason,
			"message": map[string]any{"role": "assistant", "content": strings.Join(words, " ")},
		}},
		"usage": map[string]any{"prompt_tokens": prompt, "completion_tokens": len(words), "total_tokens": prompt + len(words)},
	}
}

// pause takes its time; it reports false when nobody waits any more.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// refuse answers with an error in the shape of the protocol.
func refuse(w http.ResponseWriter, status int, kind, code, message string) {
	answer(w, status, map[string]any{"error": map[string]any{"message": message, "type": kind, "param": nil, "code": code}})
}

// answer writes JSON.
func answer(w http.ResponseWriter, status int, body any) {
	encoded, err := json.Marshal(body)
	if err != nil {
		status, encoded = http.StatusInternalServerError, []byte(`{"error":{"message":"The answer cannot be encoded."}}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(encoded, '\n')) // a client that is gone needs no answer
}
