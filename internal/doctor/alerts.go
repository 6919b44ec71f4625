package doctor

import (
	"errors"
	"fmt"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/show"
)

// Subscription is a subscription of an SNS topic.
type Subscription struct {
	Protocol string // "email", "sms", …
	Endpoint string // the address
	// Confirmed means that messages are sent to it. An e-mail address must be confirmed. AWS
	// deletes an unconfirmed subscription after 48 hours.
	Confirmed bool
}

// Alerts checks whether the alarms of a topic reach a person. err is the error of reading the
// subscriptions.
func Alerts(topic string, subscriptions []Subscription, err error) show.Check {
	name := "alarms of " + topic[strings.LastIndexByte(topic, ':')+1:]
	if err != nil {
		return check(name, err, "", "grant sns:ListSubscriptionsByTopic on "+topic)
	}
	var reached, pending []string
	for _, s := range subscriptions {
		where := s.Protocol + " to " + s.Endpoint
		if s.Confirmed {
			reached = append(reached, where)
		} else {
			pending = append(pending, where)
		}
	}
	switch {
	case len(pending) > 0:
		err = fmt.Errorf("not confirmed: %s; AWS deletes such a subscription after 48 hours", strings.Join(pending, ", "))
		return check(name, err, "", `open the mail "AWS Notification - Subscription Confirmation" and confirm; then deploy/alerts`)
	case len(reached) == 0:
		return check(name, errors.New("nobody is subscribed, so no alarm reaches anybody"), "", "deploy/alerts, which subscribes the address again")
	}
	return check(name, nil, strings.Join(reached, ", "), "")
}
