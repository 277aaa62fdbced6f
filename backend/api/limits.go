package api

import "time"

const (
	// maxWait is how long an answer is held back at most.
	maxWait = 60 * time.Second
)
