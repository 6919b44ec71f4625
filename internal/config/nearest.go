package config

import "strings"

// shortestPart is the least length of a name that counts as the beginning of a longer one.
const shortestPart = 4

// Nearest returns the candidate with the fewest typing errors, at most the given number, or "" when
// none is that close. A name that is a beginning of the candidate, or begins with it, counts as one
// error.
func Nearest(name string, candidates []string, most int) string {
	best, fewest := "", most+1
	for _, candidate := range candidates {
		n := slips(name, candidate)
		if min(len(name), len(candidate)) >= shortestPart && (strings.HasPrefix(name, candidate) || strings.HasPrefix(candidate, name)) {
			n = min(n, 1)
		}
		if n < fewest {
			best, fewest = candidate, n
		}
	}
	return best
}

// slips returns the optimal string alignment distance: missing, extra or replaced characters, and
// swapped neighbours.
func slips(a, b string) int {
	var before []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next := make([]int, len(b)+1)
		next[0] = i + 1
		for j := range len(b) {
			replaced := row[j]
			if a[i] != b[j] {
				replaced++
			}
			next[j+1] = min(row[j+1]+1, next[j]+1, replaced)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
