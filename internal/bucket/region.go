package bucket

import "fmt"

// RegionError says that the bucket is in another region than the request was made for. An adapter wraps it.
type RegionError struct {
	Region string
	Err    error
}

func (e *RegionError) Error() string {
	return fmt.Sprintf("the bucket is in region %.40q: %v", e.Region, e.Err)
}
func (e *RegionError) Unwrap() error { return e.Err }
