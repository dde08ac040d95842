package sealer

import "context"

// Parallel lets tests hold parallel to its promise.
func Parallel[T any](ctx context.Context, n int, f func(int) (T, error), take func(int, T) error) error {
	return parallel(ctx, n, f, take)
}
