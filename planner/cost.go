package planner

import "github.com/angel-nft/google-shuffle/internal/state"

// Prices in dollars a request (S3 Standard and SQS standard queues, us-west-2). DELETE is free.
const (
	priceWrite = 5e-6   // COPY, PUT, LIST
	priceRead  = 0.4e-6 // GET, HEAD
	priceSQS   = 0.4e-6 // up to 64 KiB
)

// What one run needs besides the copies of its tasks, as an estimate.
const (
	// A task needs a tenth each of a send, a receive and a delete. A message has a hundred results.
	sqsPerTask     = 0.3
	resultsPerSQS  = 100    // results in one message
	tasksPerSecond = 2500.0 // of one worker, see docs/speed.md
	statePuts      = 25     // pointer, plan, report, dataset version
	sqsIdle        = 20     // empty receives
)

// estimate predicts the dollars for the requests of the run, and the seconds that it takes with one
// worker. lists is the number of LIST requests of the plan. The verification lists the datasets
// once more.
func estimate(p *state.Plan, lists int64) (dollars, seconds float64) {
	copies := p.Totals.Copy + p.Totals.Move + p.Totals.Refresh
	frames := 0
	for _, b := range p.Balance {
		frames += b.After
	}
	if p.Tasks == 0 {
		return float64(lists)*priceWrite + 10*priceWrite, 0
	}
	seconds = float64(p.Tasks)/tasksPerSecond + state.DefaultFence.Quiet().Seconds()
	writes := float64(copies) + float64(lists) + float64(frames)/1000 + float64(len(p.Balance)) +
		// The tracker writes the ledger about once a second.
		float64(2*state.Chunks(p.Tasks)+statePuts) + seconds
	sqs := float64(p.Tasks)*(sqsPerTask+3.0/resultsPerSQS) + sqsIdle
	return writes*priceWrite + sqs*priceSQS + seconds*priceRead, seconds
}
