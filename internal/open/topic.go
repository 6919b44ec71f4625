package open

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/angel-nft/google-shuffle/internal/doctor"
)

// Subscriptions lists the subscriptions of an SNS topic.
func (o *Opener) Subscriptions(ctx context.Context, topic string) ([]doctor.Subscription, error) {
	cfg, err := o.aws(ctx)
	if err != nil {
		return nil, fmt.Errorf("open topic %s: %w", topic, err)
	}
	client := sns.NewFromConfig(cfg, func(options *sns.Options) {
		options.Region = strings.Split(topic+":::", ":")[3]
		options.Retryer = o.retryer(options.Retryer)
	})
	var all []doctor.Subscription
	pages := sns.NewListSubscriptionsByTopicPaginator(client, &sns.ListSubscriptionsByTopicInput{TopicArn: &topic})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list subscriptions: %w", err)
		}
		for _, s := range page.Subscriptions {
			// "PendingConfirmation" and "Deleted" take the place of an ARN.
			confirmed := strings.HasPrefix(aws.ToString(s.SubscriptionArn), "arn:")
			all = append(all, doctor.Subscription{Protocol: aws.ToString(s.Protocol), Endpoint: aws.ToString(s.Endpoint), Confirmed: confirmed})
		}
	}
	return all, nil
}
