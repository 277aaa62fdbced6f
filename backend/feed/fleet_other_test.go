//go:build !(linux && (amd64 || arm64))

package feed

// breakShard has nothing to break where there are no shards.
func breakShard(*Stream) *Stream { return nil }
