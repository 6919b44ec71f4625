package tracker

import (
	"cmp"
	"time"

	"go.uber.org/zap"

	"github.com/angel-nft/google-shuffle/internal/state"
)

// DefaultMetricsNamespace is the namespace of the metrics when no other is configured. A stack has
// a namespace of its own, so that two stacks in one account do not set off each other's alarms.
const DefaultMetricsNamespace = "GoogleShuffle"

// metricsDimension is the name of the metrics' dimension, which the alarms know too.
const metricsDimension = "Prefix"

// metric is one of CloudWatch's embedded metric format.
type metric struct {
	Name string
	Unit string
}

type directive struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []metric
}

// embedded is the "_aws" member of a log line by which CloudWatch Logs finds the metrics in it
// (CloudWatch User Guide, embedded metric format).
type embedded struct {
	Timestamp         int64 // Unix milliseconds
	CloudWatchMetrics []directive
}

// announce logs the one line about the end of a run. RunFailed and EpisodesHeld are what the alarms
// watch.
func (t *Tracker) announce(r *state.Report) {
	values := []struct {
		metric
		value float64
	}{
		{metric{"RunSucceeded", "Count"}, float64(rank(r.State == state.Succeeded))},
		{metric{"RunFailed", "Count"}, float64(rank(r.State == state.Failed))},
		{metric{"EpisodesHeld", "Count"}, float64(len(r.Held))},
		{metric{"Tasks", "Count"}, float64(r.Tasks)},
		{metric{"Done", "Count"}, float64(r.Done)},
		{metric{"DeadTasks", "Count"}, float64(r.Dead)},
		{metric{"Differences", "Count"}, float64(r.Differences)},
		{metric{"DurationSeconds", "Seconds"}, r.DurationSecs},
	}
	d := directive{Namespace: cmp.Or(t.Options.MetricsNamespace, DefaultMetricsNamespace), Dimensions: [][]string{{metricsDimension}}}
	fields := []zap.Field{
		zap.String("run", r.Run), zap.String("state", string(r.State)), zap.String("reason", r.Reason), zap.Bool("verified", r.Verified),
		// A dimension may not be empty.
		zap.String(metricsDimension, cmp.Or(t.Store.Layout.Prefix, "/")),
	}
	if d.Namespace == DefaultMetricsNamespace {
		fields = append(fields, zap.String("alarms", "the stack's alarms see only runs that its own tasks end, see deploy/shuffle"))
	}
	for _, v := range values {
		d.Metrics = append(d.Metrics, v.metric)
		fields = append(fields, zap.Float64(v.Name, v.value))
	}
	fields = append(fields, zap.Any("_aws", embedded{Timestamp: time.Now().UnixMilli(), CloudWatchMetrics: []directive{d}}))
	t.log().Info("run ended", fields...)
}
