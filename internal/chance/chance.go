// Package chance draws the random part of the pauses between tries, by which many processes do not try again in step.
package chance

import (
	"math/rand/v2"
	"time"
)

// UpTo is a random pause of at least 0 and less than most, which is more than 0. It is a variable for the tests that replay a schedule
// to the letter: before anything runs, they set it to a function without chance.
var UpTo = rand.N[time.Duration]
