package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"telltale/app/starter"
)

func (s *shell) initCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "init [DIR]",
		Short: "Write a starter: a catalog whose every action works, offline",
		Long: `Writes a starter into a folder, the current one unless told: a catalog, a git
repository with two peers to push and pull, a test suite, a stored key for a
service to practise on, and what the actions need. All of it is real and works
without a network. Nothing that is there already is overwritten.`,
		Args: func(c *cobra.Command, words []string) error {
			if len(words) > 1 {
				return &usageError{c.CommandPath() + " takes one folder at most", "Use it as " + c.UseLine() + "."}
			}
			return nil
		},
		RunE: func(c *cobra.Command, words []string) error {
			dir := "."
			if len(words) == 1 {
				dir = words[0]
			}
			return s.calm(c, func(ctx context.Context) error { return s.init(ctx, dir) })
		},
	}
}

func (s *shell) init(ctx context.Context, dir string) error {
	err := starter.Write(ctx, dir)
	if errors.Is(err, fs.ErrExist) {
		there := strings.TrimSuffix(err.Error(), ": "+fs.ErrExist.Error())
		return &refusalError{there, "Nothing was changed. Choose an empty folder: telltale init DIR."}
	}
	if err != nil {
		return err
	}
	first := "telltale run push --target berlin"
	if dir != "." {
		first = "cd " + filepath.Clean(dir) + " && " + first
	}
	_, err = fmt.Fprintf(s.Out, "A starter is in %s. Begin with:\n\n  %s\n\nor with telltale serve, which prints the address of the page.\n", dir, first)
	return err
}
