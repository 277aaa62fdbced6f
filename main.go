// Command telltale starts what an admin starts, shows a lamp that tells the
// truth while it runs, and keeps the record. See README.md.
package main

import (
	"embed"
	"fmt"
	"io/fs"
	"os"

	"telltale/app/cli"
)

// The built frontend. Only the folder's own marker is there before make has
// built it; then the server says so instead of showing a page.
//
//go:embed all:frontend/dist
var dist embed.FS

func main() {
	static, err := fs.Sub(dist, "frontend/dist")
	if err != nil {
		fmt.Fprintln(os.Stderr, "telltale:", err)
		os.Exit(1)
	}
	os.Exit(cli.Run(os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, static))
}
