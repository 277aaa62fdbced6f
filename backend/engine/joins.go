package engine

import (
	"sync"

	"telltale/backend/job"
)

// rememberedJoins is how many keys of joined triggers are remembered.
const rememberedJoins = 4096

// joins remembers which job the key of a trigger stands for that joined a live
// one, so that asking again after that job's end does not start another. The
// journal binds a key only to the job it started; these live in memory, the
// newest of them, because they matter to a caller that lost the answer and asks
// again within minutes.
type joins struct {
	mu    sync.Mutex // guards what follows
	byKey map[string]join
	order []string // names in byKey, oldest first
}

type join struct {
	fingerprint string
	id          job.ID
}

func (s *joins) remember(k job.Key, id job.ID) {
	if k.Name == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byKey == nil {
		s.byKey = map[string]join{}
	}
	if _, known := s.byKey[k.Name]; !known {
		s.order = append(s.order, k.Name)
	}
	s.byKey[k.Name] = join{k.Fingerprint, id}
	if len(s.order) > rememberedJoins {
		delete(s.byKey, s.order[0])
		s.order = s.order[1:]
	}
}

func (s *joins) of(k job.Key) (join, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j, ok := s.byKey[k.Name]
	return j, ok
}
