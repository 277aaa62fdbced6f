package runner

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"telltale/backend/job"
)

const (
	authenticateLimit = 30 * time.Second
	completeLimit     = 60 * time.Second
	maxResponse       = 1 << 20 // bytes read of one
)

// answer is what the service said to one request.
type answer struct {
	Status int
	Header http.Header
	Body   []byte
	Took   time.Duration
}

// authenticate lists the models: the cheapest request that needs the key. A
// service that has no such list is only asked for an answer.
func (c *check) authenticate(ctx context.Context) *verdict {
	a, v := c.request(ctx, authenticateLimit, http.MethodGet, "/models", nil)
	if v != nil {
		return v
	}
	switch a.Status {
	case http.StatusOK:
		c.voice.tell("authenticate: the key is accepted (%s)", inTime(a.Took))
		return nil
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		c.voice.tell("authenticate: the service lists no models (status %d); the next step shows whether the key is accepted", a.Status)
		return &verdict{state: job.Skipped}
	}
	return c.refused(a)
}

// complete asks the model for one tiny answer.
func (c *check) complete(ctx context.Context) *verdict {
	// Newer models of OpenAI refuse max_tokens, many other services know
	// nothing else.
	var a answer
	for _, limit := range []string{"max_completion_tokens", "max_tokens"} {
		body, err := json.Marshal(map[string]any{
			"model":    c.model,
			"messages": []map[string]string{{"role": "user", "content": "Say ok."}},
			limit:      16,
		})
		if err != nil {
			return failed("internal", "The request could not be written: "+err.Error()+".", "Check the name of the model.")
		}
		var v *verdict
		if a, v = c.request(ctx, completeLimit, http.MethodPost, "/chat/completions", body); v != nil {
			return v
		}
		if a.Status != http.StatusBadRequest || !bytes.Contains(a.Body, []byte(limit)) {
			break
		}
	}
	if a.Status != http.StatusOK {
		return c.refused(a)
	}
	var said struct {
		Model   string `json:"model"`
		Choices []any  `json:"choices"`
	}
	if err := json.Unmarshal(a.Body, &said); err != nil || len(said.Choices) == 0 {
		return failed("bad_answer", "The service answered with something that is not a completion.", "Check that the address is the one of its OpenAI-compatible API, usually ending in /v1.")
	}
	c.said = c.model + " completed a request"
	c.voice.tell("complete: %s answered (%s)", c.model, inTime(a.Took))
	return nil
}

// request sends one request; a verdict means that there is no answer.
func (c *check) request(ctx context.Context, limit time.Duration, method, path string, body []byte) (answer, *verdict) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, failed("bad_address", "The address of the service cannot be used.", "Correct base_url in the catalog.")
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "telltale")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.key != "" {
		r.Header.Set("Authorization", "Bearer "+c.key)
	}
	began := c.now()
	res, err := c.line.client.Do(r)
	if err != nil {
		return answer{}, c.unanswered(err, limit)
	}
	defer res.Body.Close()
	a := answer{Status: res.StatusCode, Header: res.Header}
	if a.Body, err = io.ReadAll(io.LimitReader(res.Body, maxResponse+1)); err != nil {
		return answer{}, c.unanswered(err, limit)
	}
	if len(a.Body) > maxResponse {
		return answer{}, failed("bad_answer", fmt.Sprintf("The service sent more than %d KiB in answer to a small question.", maxResponse>>10), "Check that the address is the one of its API.")
	}
	a.Took = c.now().Sub(began)
	return a, nil
}

func (c *check) unanswered(err error, limit time.Duration) *verdict {
	switch {
	case errors.Is(err, errRedirects):
		return failed("redirects", "The service redirects more than "+strconv.Itoa(maxRedirects)+" times.", "Use the address it leads to at last as base_url.")
	case timedOut(err):
		return failed("timeout", c.url.Host+" did not answer within "+limit.String()+".", "Try again later; if it stays so, look at the service's status page.")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return failed("cut", c.url.Host+" closed the connection without a whole answer.", "Try again; if it stays so, look at the service's log or status page.")
	}
	return failed("cut", "The answer of "+c.url.Host+" could not be read: "+reason(err)+".", "Check that the address is the one of an HTTP API, then try again.")
}

// refused tells apart why a service did not do what was asked. Its own words
// are added; they are shortened and cleaned like any foreign text.
func (c *check) refused(a answer) *verdict {
	own := ""
	if said := serviceSays(a.Body); said != "" {
		own = " It says: " + said
	}
	switch {
	case a.Status == http.StatusUnauthorized, a.Status == http.StatusForbidden:
		hint := "Check that the key is whole, not revoked, and meant for this service; store the right one and try again."
		if c.key == "" {
			hint = "The service wants a key: name one in the action (api.key)."
		}
		return failed("unauthorized", "The key was refused."+own, hint)
	case a.Status == http.StatusPaymentRequired:
		return failed("payment_required", "The account has no credit."+own, "Add credit to the account, then try again.")
	case a.Status == http.StatusTooManyRequests:
		hint := "Try again later; if it stays so, check the account's limits and credit."
		if wait := retryAfter(a.Header, c.now()); wait > 0 {
			hint = "Try again in " + wait.String() + "."
		}
		return &verdict{job.Warning, job.Error{Code: "rate_limited", Message: "The service is reached, but it limits how often it may be asked." + own, Hint: hint}}
	case a.Status == http.StatusNotFound:
		return failed("model_not_found", "The service has no model "+quoted(c.model)+", or this is not its API's address."+own, "Check the name of the model, and that base_url is right (it usually ends in /v1).")
	case a.Status >= 500:
		return failed("service_error", fmt.Sprintf("The service failed with status %d.%s", a.Status, own), "The fault is on its side: try again later, and look at its status page.")
	case a.Status >= 300 && a.Status < 400:
		return failed("redirects", fmt.Sprintf("The service redirects (status %d) to nowhere.", a.Status), "Check base_url.")
	}
	return failed("refused", fmt.Sprintf("The service refused the request with status %d.%s", a.Status, own), "Check the model and base_url; the service's own words may say more.")
}

// serviceSays finds the words in an error body of the usual shapes.
func serviceSays(body []byte) string {
	var shape struct {
		Error   json.RawMessage `json:"error"`
		Message string          `json:"message"`
		Detail  string          `json:"detail"`
	}
	if json.Unmarshal(body, &shape) != nil {
		return ""
	}
	var inner struct {
		Message string `json:"message"`
	}
	var word string
	if json.Unmarshal(shape.Error, &inner) == nil && inner.Message != "" {
		return inner.Message
	}
	if json.Unmarshal(shape.Error, &word) == nil && word != "" {
		return word
	}
	if shape.Message != "" {
		return shape.Message
	}
	return strings.TrimSpace(shape.Detail)
}

// retryAfter reads the header of RFC 9110, section 10.2.3; 0 when there is none
// that makes sense.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	wait := time.Duration(0)
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		wait = at.Sub(now).Round(time.Second)
	}
	return max(wait, 0)
}
