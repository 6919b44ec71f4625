package planner

import "context"

// future is a value that one goroutine sets and other goroutines wait for.
type future[T any] struct {
	made  chan struct{} // closed when value and err are set
	value T
	err   error
}

func newFuture[T any]() *future[T] { return &future[T]{made: make(chan struct{})} }

// set sets the value. It is called once.
func (f *future[T]) set(value T, err error) {
	f.value, f.err = value, err
	close(f.made)
}

// get waits for the value or for the end of ctx.
func (f *future[T]) get(ctx context.Context) (value T, err error) {
	select {
	case <-ctx.Done():
		return value, context.Cause(ctx)
	case <-f.made:
		return f.value, f.err
	}
}
