package sqsqueue

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/angel-nft/google-shuffle/internal/queue"
)

// racer is an SQS where someone else creates the queue, with other attributes, between our look and
// our creation.
type racer struct {
	calls []string
	set   map[string]string
}

func (r *racer) GetQueueUrl(
	context.Context, *sqs.GetQueueUrlInput, ...func(*sqs.Options),
) (*sqs.GetQueueUrlOutput, error) {
	r.calls = append(r.calls, "get URL")
	if len(r.calls) == 1 {
		return nil, &types.QueueDoesNotExist{}
	}
	url := "https://queue"
	return &sqs.GetQueueUrlOutput{QueueUrl: &url}, nil
}

func (r *racer) CreateQueue(
	context.Context, *sqs.CreateQueueInput, ...func(*sqs.Options),
) (*sqs.CreateQueueOutput, error) {
	r.calls = append(r.calls, "create")
	return nil, &types.QueueNameExists{}
}

func (r *racer) GetQueueAttributes(
	context.Context, *sqs.GetQueueAttributesInput, ...func(*sqs.Options),
) (*sqs.GetQueueAttributesOutput, error) {
	r.calls = append(r.calls, "get attributes")
	return &sqs.GetQueueAttributesOutput{Attributes: map[string]string{
		"VisibilityTimeout": "60", "ReceiveMessageWaitTimeSeconds": "20", "MessageRetentionPeriod": "1209600",
		"SqsManagedSseEnabled": "true",
	}}, nil
}

func (r *racer) SetQueueAttributes(
	_ context.Context, in *sqs.SetQueueAttributesInput, _ ...func(*sqs.Options),
) (*sqs.SetQueueAttributesOutput, error) {
	r.calls, r.set = append(r.calls, "set"), in.Attributes
	return &sqs.SetQueueAttributesOutput{}, nil
}

func TestSetupRace(t *testing.T) {
	r := &racer{}
	url, err := Setup(t.Context(), r, queue.Spec{Name: "tasks"})
	if err != nil || url != "https://queue" {
		t.Errorf("URL %q, error %v", url, err)
	}
	if want := []string{"get URL", "create", "get URL", "get attributes", "set"}; !slices.Equal(r.calls, want) {
		t.Errorf("calls %q, want %q", r.calls, want)
	}
	if want := map[string]string{"VisibilityTimeout": "30"}; !maps.Equal(r.set, want) {
		t.Errorf("set %v, want %v", r.set, want)
	}
}

func TestDifferences(t *testing.T) {
	const arn = `"deadLetterTargetArn":"arn:aws:sqs:us-east-1:1:dead"`
	for _, tc := range []struct {
		name            string
		has, want, sets map[string]string
	}{
		{"nothing", map[string]string{"VisibilityTimeout": "60"}, map[string]string{"VisibilityTimeout": "60"}, nil},
		{
			"another value", map[string]string{"VisibilityTimeout": "60"}, map[string]string{"VisibilityTimeout": "30"},
			map[string]string{"VisibilityTimeout": "30"},
		},
		{
			"the same policy in other words",
			map[string]string{"RedrivePolicy": `{"maxReceiveCount":"5", ` + arn + `}`},
			map[string]string{"RedrivePolicy": `{` + arn + `,"maxReceiveCount":5}`},
			nil,
		},
		{
			"another count",
			map[string]string{"RedrivePolicy": `{` + arn + `,"maxReceiveCount":4}`},
			map[string]string{"RedrivePolicy": `{` + arn + `,"maxReceiveCount":5}`},
			map[string]string{"RedrivePolicy": `{` + arn + `,"maxReceiveCount":5}`},
		},
		{"no policy, as wanted", nil, map[string]string{"RedrivePolicy": ""}, nil},
		{
			"a policy that is not wanted",
			map[string]string{"RedrivePolicy": `{` + arn + `,"maxReceiveCount":4}`}, map[string]string{"RedrivePolicy": ""},
			map[string]string{"RedrivePolicy": ""},
		},
		{"a delay", map[string]string{"DelaySeconds": "900"}, map[string]string{"DelaySeconds": "0"}, map[string]string{"DelaySeconds": "0"}},
		{"a delay that the server leaves out", nil, map[string]string{"DelaySeconds": "0"}, nil},
		{
			"short retention", map[string]string{"MessageRetentionPeriod": "60"},
			map[string]string{"MessageRetentionPeriod": "1209600"}, map[string]string{"MessageRetentionPeriod": "1209600"},
		},
		{
			"small messages", map[string]string{"MaximumMessageSize": "1024"},
			map[string]string{"MaximumMessageSize": "262144"}, map[string]string{"MaximumMessageSize": "262144"},
		},
		{"larger messages than needed", map[string]string{"MaximumMessageSize": "1048576"}, map[string]string{"MaximumMessageSize": "262144"}, nil},
		{
			"not encrypted", map[string]string{"SqsManagedSseEnabled": "false"},
			map[string]string{"SqsManagedSseEnabled": "true"}, map[string]string{"SqsManagedSseEnabled": "true"},
		},
		{
			"encrypted with the owner's key", map[string]string{"SqsManagedSseEnabled": "false", "KmsMasterKeyId": "alias/k"},
			map[string]string{"SqsManagedSseEnabled": "true"}, nil,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := differences(tc.has, tc.want); !maps.Equal(got, tc.sets) {
				t.Errorf("sets %v, want %v", got, tc.sets)
			}
		})
	}
}

// FuzzParseRedrive: whatever is in the attribute, what is read is a policy that SQS could have.
func FuzzParseRedrive(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `null`, `[]`, `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:1:dead","maxReceiveCount":5}`,
		`{"maxReceiveCount":"5"}`, `{"maxReceiveCount":-1}`, `{"maxReceiveCount":1e3}`, `{"maxReceiveCount":99999999999}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parseRedrive(text)
		if err == nil && (p.count() < 0 || text != "" && p.MaxReceiveCount == "") {
			t.Errorf("%q is read as %+v", text, p)
		}
		if err == nil && !sameRedrive(text, text) {
			t.Errorf("%q is not the same as itself", text)
		}
	})
}
