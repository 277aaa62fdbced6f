package api

import (
	"net/http"
)

// fault is one kind of error answer: a row of the table.
type fault struct {
	code   string
	status int
	title  string
	hint   string // unless the error itself knows a better one
}

// faults is every kind of error answer there is. Codes are stable; clients may
// branch on them.
func faults() []fault {
	return []fault{
		{"bad_request", http.StatusBadRequest, "The request is not right", "Correct each field that is named and send it again."},
		{"bad_json", http.StatusBadRequest, "The body is not the JSON we expect", "Send one JSON object in UTF-8 with the documented fields, each once."},
		{"bad_cursor", http.StatusBadRequest, "Not a cursor", "Use a head, next or event id exactly as this server sent it, or leave it out to start from the present."},
		{"bad_topic", http.StatusBadRequest, "Not a topic", "Topics are jobs, job:<id> and log:<id>, at most 200 of them."},
		{"cross_site", http.StatusForbidden, "Asked from another site", "Open this server's own page, or call the API from a program."},
		{"not_found", http.StatusNotFound, "Not here", "Check the address; old jobs are removed by the rules of retention."},
		{"unknown_action", http.StatusNotFound, "No such action", "GET /api/v1/actions lists what there is."},
		{"method_not_allowed", http.StatusMethodNotAllowed, "Not this way", "The Allow header names the methods there are."},
		{"not_acceptable", http.StatusNotAcceptable, "Not in this form", "Ask for one of the documented media types."},
		{"request_timeout", http.StatusRequestTimeout, "The request came too slowly", "Send it again on a better connection."},
		{"busy", http.StatusConflict, "Already running", "Watch the live job named by instance, or cancel it first."},
		{"not_final", http.StatusConflict, "Not ended yet", "Wait until the job has ended, or cancel it first."},
		{"sealed", http.StatusConflict, "A secret is needed again", "Start the action anew and fill in the secret."},
		{"body_too_large", http.StatusRequestEntityTooLarge, "The body is too large", "A request body may have 1 MiB."},
		{"url_too_long", http.StatusRequestURITooLong, "The address is too long", "An address may have 8 KiB."},
		{"unsupported_media_type", http.StatusUnsupportedMediaType, "Not JSON", "Send the body as Content-Type: application/json, without Content-Encoding."},
		{"bad_range", http.StatusRequestedRangeNotSatisfiable, "No such range", "Content-Range says how long the log is."},
		{"wrong_host", http.StatusMisdirectedRequest, "Not this host", "Use the name the server was started for, such as localhost, or add yours to the allowed hosts."},
		{"unknown_target", http.StatusUnprocessableEntity, "No such target", "Use one of the action's targets."},
		{"bad_parameters", http.StatusUnprocessableEntity, "The parameters are not right", "Correct each field that is named and send it again."},
		{"idempotency_key_reused", http.StatusUnprocessableEntity, "The key was used for another request", "Use a new Idempotency-Key for a new request."},
		{"headers_too_large", http.StatusRequestHeaderFieldsTooLarge, "The headers are too large", "All headers together may have 16 KiB; old cookies are a usual cause."},
		{"internal", http.StatusInternalServerError, "Our fault", "Look for request_id in the server's log."},
		{"draining", http.StatusServiceUnavailable, "Stopping", "Send it again in a few seconds."},
		{"timeout", http.StatusServiceUnavailable, "It took too long", "Send it again; with an Idempotency-Key that is always safe."},
		{"not_ready", http.StatusServiceUnavailable, "Not ready", "Try again in a few seconds; the server's log says what is wrong."},
		{"too_many_streams", http.StatusServiceUnavailable, "Too many streams", "Close some, or poll."},
		{"storage_full", http.StatusInsufficientStorage, "The disk is full", "Free some space where Telltale keeps its data; nothing that was accepted is lost."},
	}
}

// faultOf finds the row of a code; an unknown one is our fault.
func faultOf(code string) fault {
	own := fault{}
	for _, f := range faults() {
		if f.code == code {
			return f
		}
		if f.code == "internal" {
			own = f
		}
	}
	return own
}
