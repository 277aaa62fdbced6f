package store_test

import (
	"testing"

	"telltale/backend/job/jobtest"
	"telltale/backend/store"
)

// open opens a store that the test cannot do without.
func open(t *testing.T, o store.Options) *store.Store {
	t.Helper()
	s, err := store.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStoreInMemoryKeepsTheContract(t *testing.T) {
	t.Parallel()
	jobtest.Suite(t, func(t *testing.T, c *jobtest.Clock) (jobtest.Store, func() jobtest.Store) {
		t.Helper()
		s := open(t, store.Options{Clock: c.Now})
		return s, func() jobtest.Store { return s }
	})
}

func TestStoreOnDiskKeepsTheContract(t *testing.T) {
	t.Parallel()
	jobtest.Suite(t, func(t *testing.T, c *jobtest.Clock) (jobtest.Store, func() jobtest.Store) {
		t.Helper()
		s := open(t, store.Options{Dir: t.TempDir(), Clock: c.Now})
		return s, func() jobtest.Store { return s }
	})
}

func TestStoreReopenedAfterEveryStepKeepsTheContract(t *testing.T) {
	t.Parallel()
	jobtest.Suite(t, func(t *testing.T, c *jobtest.Clock) (jobtest.Store, func() jobtest.Store) {
		t.Helper()
		o := store.Options{Dir: t.TempDir(), Clock: c.Now}
		s := open(t, o)
		return s, func() jobtest.Store {
			t.Helper()
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open(t, o)
			return s
		}
	})
}
