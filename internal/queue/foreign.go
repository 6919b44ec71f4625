package queue

import "time"

// OwnerDelay is how long a message of another environment stays invisible after it is returned, by
// its number of receives. The first time it is visible at once, so that its owner can receive it.
// Later the delay grows, up to a minute, so that the wrong environment does not receive it again
// and again.
func OwnerDelay(receives int) time.Duration {
	if receives <= 1 {
		return 0
	}
	return min(time.Second<<min(receives, 10), time.Minute)
}
