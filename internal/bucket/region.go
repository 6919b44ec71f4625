package bucket

import "fmt"

// RegionError means that the request was sent to a region other than the bucket's. An adapter wraps
// it.
type RegionError struct {
	Region string
	Err    error
}

func (e *RegionError) Error() string {
	return fmt.Sprintf("the bucket is in region %.40q: %v", e.Region, e.Err)
}
func (e *RegionError) Unwrap() error { return e.Err }
