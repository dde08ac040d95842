package evidence

import "fmt"

// Count is a number with its noun, for sentences to people.
func Count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
