package queue

import "time"

// OwnerDelay is how long a message of another environment stays hidden when it is given back, by its
// number of receives. The first time it is visible at once, so that its owner can have it; later longer and longer, so that those who
// share the queue by mistake do not receive it again and again. At most a minute.
func OwnerDelay(receives int) time.Duration {
	if receives <= 1 {
		return 0
	}
	return min(time.Second<<min(receives, 10), time.Minute)
}
