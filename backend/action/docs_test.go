package action_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"telltale/backend/action"
)

// TestCatalogsInTheDocumentationLoad reads every YAML block of the guides.
func TestCatalogsInTheDocumentationLoad(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("../../docs/*/*.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, found := strings.Cut(string(text), "```yaml\n")
		for found {
			var block string
			block, rest, _ = strings.Cut(rest, "```")
			if strings.HasPrefix(block, "actions:") {
				blocks++
				if _, err := action.Parse(page, []byte(block)); err != nil {
					t.Errorf("%v\n%s", err, block)
				}
			}
			_, rest, found = strings.Cut(rest, "```yaml\n")
		}
	}
	if blocks < 4 {
		t.Errorf("only %d catalogs found", blocks)
	}
}
