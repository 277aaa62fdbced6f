package engine

import (
	"context"
	"fmt"

	"telltale/backend/auth"
	"telltale/backend/job"
)

// Retry runs again what a final job ran, as a new job with the same target and
// parameters, checked against today's catalog. Errors: those of Submit,
// *job.NotFoundError, *NotFinalError, *SealedError.
func (e *Engine) Retry(ctx context.Context, who auth.Principal, id job.ID, key string) (Receipt, error) {
	old, err := e.Journal.Last(ctx, id)
	if err != nil {
		return Receipt{}, fmt.Errorf("job to run again: %w", err)
	}
	if !old.Job.State.Final() {
		return Receipt{}, &NotFinalError{Live: old}
	}
	if old.Job.Sealed {
		return Receipt{}, &SealedError{ID: id}
	}
	return e.Submit(ctx, who, Request{
		Action: old.Job.Action, Target: old.Job.Target, Params: old.Job.Params,
		Key: key, Via: job.ViaRetry, retryOf: id,
	})
}
