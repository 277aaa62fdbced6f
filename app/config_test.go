package app_test

import (
	"testing"

	"telltale/app"
)

// An empty variable is how a service file says "not set".
func TestAnEmptyVariableLeavesTheDefault(t *testing.T) {
	for _, s := range app.Settings() {
		t.Setenv(s.Env, "")
		if got := s.Value(); got != s.Default {
			t.Errorf("%s is %q, want %q", s.Env, got, s.Default)
		}
		t.Setenv(s.Env, "given")
		if got := s.Value(); got != "given" {
			t.Errorf("%s is %q", s.Env, got)
		}
	}
}
