package show

import "github.com/angel-nft/google-shuffle/internal/figure"

// Short names for the functions that nearly every line needs.
var (
	number, count, isAre    = figure.Number, figure.Count, figure.IsAre
	duration, clock, moment = figure.Duration, figure.Clock, figure.Moment
	dollars, percent, rate  = figure.Dollars, figure.Percent, figure.Rate
)
