package action

// nearest is the known word a person most likely meant, or "" when none is
// near: at most one typing mistake in three letters, counted as insertions,
// deletions, changes and swaps of neighbours. Of equals the first wins.
func nearest(word string, known []string) string {
	if len(word) > 64 {
		return ""
	}
	best, bestAt := "", max(1, len(word)/3)+1
	for _, k := range known {
		if d := distance(word, k); d < bestAt {
			best, bestAt = k, d
		}
	}
	return best
}

// distance counts typing mistakes between two words (optimal string alignment).
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
