//go:build !(linux && (amd64 || arm64))

package feed

// breakShard has nothing to break where there are no shards.
func breakShard(*Stream) *Stream { return nil }

// benchRole is never set: the benchmarks need Linux.
const benchRole = "TELLTALE_FEED_BENCH"

func serveBench(string) int { return 2 }
