package api

import "time"

// The limits of what a client may send or hold on to.
const (
	maxBody       = 1 << 20  // bytes of a request body
	maxHead       = 16 << 10 // bytes of request line and headers
	maxURL        = 8 << 10  // bytes of a request's target
	maxDepth      = 16       // levels of JSON
	maxKey        = 255      // characters of an Idempotency-Key
	maxReason     = 500      // characters of a trigger's reason
	maxTopics     = 200      // topics of one stream
	maxText       = 256      // characters of a filter
	maxLines      = 1000     // lines of one JSON answer of a log
	maxList       = 1000     // jobs of one page
	maxConns      = 20_000   // connections served at once, streams of events not counted
	maxLogStreams = 256      // log streams at once

	// maxWait is how long an answer is held back at most.
	maxWait = 60 * time.Second
	// readTimeout is how long a request may take to arrive.
	readTimeout = 15 * time.Second
	// idleTimeout is how long a kept connection may wait for its next request.
	idleTimeout = 60 * time.Second
	// workTimeout is how long a handler may work, holding back not counted.
	workTimeout = 30 * time.Second
	// writeTimeout is how long a client may take to accept a piece of an answer.
	writeTimeout = 30 * time.Second
	// beat is the pause between heartbeats of a log stream.
	beat = 2500 * time.Millisecond

	// maxReplay is how many changes a returning reader is told of one by one;
	// who missed more starts from the present.
	maxReplay = 20_000
	// maxReplayBytes is how large a replay may be before only each job's newest
	// change is told.
	maxReplayBytes = 4 << 20
	// maxPoll is how many changes one long-poll answers.
	maxPoll = 500
)
