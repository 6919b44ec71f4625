package sqsqueue

import (
	"maps"
	"testing"
)

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

// FuzzParseRedrive: whatever stands in the attribute, what is read is a policy that SQS could have.
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
