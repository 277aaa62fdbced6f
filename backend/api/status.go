package api

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"telltale/backend/job"
)

// Status is a job as it is stored and sent: the bytes of [job.Event.Data],
// never encoded a second time. In the OpenAPI document it is a Job.
type Status []byte

// MarshalJSON is the bytes themselves, or null when there are none.
func (s Status) MarshalJSON() ([]byte, error) {
	if len(s) == 0 {
		return []byte("null"), nil
	}
	return s, nil
}

// UnmarshalJSON keeps a copy of the bytes.
func (s *Status) UnmarshalJSON(b []byte) error {
	*s = append((*s)[:0], b...)
	return nil
}

// Schema is that of a Job.
func (Status) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[job.Job](), true, "Job")
}

// Event decodes the job and keeps the bytes beside it. Seq is not known.
func (s Status) Event() (job.Event, error) {
	e := job.Event{Data: s}
	if err := json.Unmarshal(s, &e.Job); err != nil {
		return job.Event{}, fmt.Errorf("job: %w", err)
	}
	return e, nil
}
