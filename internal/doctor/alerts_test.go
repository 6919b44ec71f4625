package doctor_test

import (
	"strings"
	"testing"

	"github.com/aws/smithy-go"

	"github.com/angel-nft/google-shuffle/internal/doctor"
)

// The result of doctor for each state of an alerts topic.
func TestAlerts(t *testing.T) {
	const topic = "arn:aws:sns:us-west-2:000000000000:google-shuffle-alerts"
	mail := doctor.Subscription{Protocol: "email", Endpoint: "oncall@example.com", Confirmed: true}
	pending := doctor.Subscription{Protocol: "email", Endpoint: "new@example.com"}
	sms := doctor.Subscription{Protocol: "sms", Endpoint: "+15555550100", Confirmed: true}
	denied := &smithy.GenericAPIError{Code: "AuthorizationError", Message: "is not authorized to perform: SNS:ListSubscriptionsByTopic"}
	for name, c := range map[string]struct {
		all         []doctor.Subscription
		err         error
		ok          bool
		detail, fix string
	}{
		"confirmed":            {[]doctor.Subscription{mail, sms}, nil, true, "email to oncall@example.com, sms to +15555550100", ""},
		"not confirmed":        {[]doctor.Subscription{pending}, nil, false, "not confirmed: email to new@example.com", "confirm"},
		"one of two confirmed": {[]doctor.Subscription{mail, pending}, nil, false, "not confirmed: email to new@example.com", "confirm"},
		"deleted":              {nil, nil, false, "no alarm reaches anybody", "deploy/alerts"},
		"no right":             {nil, denied, false, "AuthorizationError", "grant sns:ListSubscriptionsByTopic on " + topic},
		"expired":              {nil, &smithy.GenericAPIError{Code: "ExpiredToken"}, false, "ExpiredToken", "log in again"},
	} {
		got := doctor.Alerts(topic, c.all, c.err)
		if got.OK != c.ok || got.Name != "alarms of google-shuffle-alerts" || !strings.Contains(got.Detail, c.detail) || !strings.Contains(got.Fix, c.fix) || c.ok && got.Fix != "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
