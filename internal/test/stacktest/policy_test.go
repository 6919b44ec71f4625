package stacktest_test

import (
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/test/stacktest"
)

func TestAllows(t *testing.T) {
	policy := []stacktest.Statement{
		{Effect: "Allow", Actions: []string{"s3:GetObject"}, Resources: []string{"arn:aws:s3:::b/p/s??e??/*"}},
		{Effect: "Allow", Actions: []string{"s3:ListBucket"}, Resources: []string{"arn:aws:s3:::b"}, Conditions: map[string]any{"StringLike": map[string]any{"s3:prefix": "p/*"}}},
		{Effect: "Deny", Actions: []string{"s3:*"}, Resources: []string{"arn:aws:s3:::b/p/s01e01/secret/*"}},
	}
	for _, c := range []struct {
		action, resource, context string
		want                      bool
	}{
		{"s3:GetObject", "arn:aws:s3:::b/p/s01e01/a/F.jpg", "", true},
		// Actions are not case-sensitive.
		{"s3:getobject", "arn:aws:s3:::b/p/s01e01/a/F.jpg", "", true},
		{"s3:PutObject", "arn:aws:s3:::b/p/s01e01/a/F.jpg", "", false},
		{"s3:GetObject", "arn:aws:s3:::b/p/S01e01x/F.jpg", "", false},
		{"s3:GetObject", "arn:aws:s3:::c/p/s01e01/F.jpg", "", false},
		{"s3:GetObject", "arn:aws:s3:::b/p/s01e01/secret/F.jpg", "", false},
		{"s3:ListBucket", "arn:aws:s3:::b", "p/ML/", true},
		{"s3:ListBucket", "arn:aws:s3:::b", "q/", false},
		{"s3:ListBucket", "arn:aws:s3:::b", "", false},
	} {
		r := stacktest.Request{Action: c.action, Resource: c.resource, Context: c.context}
		if got := stacktest.Allows(policy, r); got != c.want {
			t.Errorf("%s: %v, expected %v", r, got, c.want)
		}
	}
}

// TestRolesRefuse: the calls that a task with a bug could not make.
func TestRolesRefuse(t *testing.T) {
	s := stack(t, source(t), everything)
	const bucket, queue = "arn:aws:s3:::media.angel-nft.com", "arn:aws:sqs:us-west-2:000000000000:google-shuffle-"
	for role, refused := range map[string]string{
		"PlannerRole": `s3:PutObject /tuttle_twins/ML/train/Rare/F.jpg
			s3:DeleteObject /tuttle_twins/ML/train/Rare/F.jpg
			s3:DeleteObject /tuttle_twins/shuffle/current.json
			s3:DeleteObject /tuttle_twins/shuffle/settings.json
			s3:PutObject /tuttle_twins/manifests/S01-episodes.json
			s3:PutObject /tuttle_twins/s01e01/default_eng/v1/frames/thumbnails/F.jpg
			s3:GetObject /other/manifests/S01-episodes.json
			sqs:ReceiveMessage tasks
			sqs:DeleteMessage tasks
			s3:DeleteObject /tuttle_twins/manifests/S01-episodes.json
			sqs:PurgeQueue tasks
			sqs:ReceiveMessage results`,
		"DoctorRole": `s3:PutObject /tuttle_twins/ML/train/Rare/F.jpg
			s3:DeleteObject /tuttle_twins/ML/train/Rare/F.jpg
			s3:PutObject /tuttle_twins/shuffle/current.json
			s3:DeleteObject /tuttle_twins/shuffle/settings.json
			sqs:ReceiveMessage planner-dead-letters
			s3:DeleteObject /tuttle_twins/shuffle/runs/1/plan.json
			sns:Publish alerts
			sns:Subscribe alerts
			sqs:PurgeQueue tasks`,
		"ReminderRole": `cloudwatch:SetAlarmState tasks
			sqs:ReceiveMessage planner-dead-letters`,
		"WorkerRole": `s3:PutObject /tuttle_twins/shuffle/current.json
			s3:GetObject /tuttle_twins/shuffle/settings.json
			s3:DeleteObject /tuttle_twins/shuffle/current.json
			s3:GetObject /tuttle_twins/shuffle/seed.json
			s3:GetObject /tuttle_twins/manifests/S01-episodes.json
			s3:PutObject /tuttle_twins/s01e01/default_eng/v1/frames/thumbnails/F.jpg
			s3:DeleteObject /tuttle_twins/s01e01/default_eng/v1/frames/thumbnails/F.jpg
			s3:PutObject /other/ML/train/Rare/F.jpg
			s3:GetObject /other/s01e01/F.jpg
			sqs:SendMessage tasks
			sqs:ReceiveMessage results
			sqs:ReceiveMessage dead-letters
			sqs:PurgeQueue tasks`,
		"TrackerRole": `s3:PutObject /tuttle_twins/ML/train/Rare/F.jpg
			s3:DeleteObject /tuttle_twins/ML/train/Rare/F.jpg
			s3:DeleteObject /tuttle_twins/shuffle/current.json
			s3:DeleteObject /tuttle_twins/shuffle/settings.json
			s3:PutObject /tuttle_twins/s01e01/default_eng/v1/frames/thumbnails/F.jpg
			s3:GetObject /tuttle_twins/manifests/S01-episodes.json
			s3:GetObject /other/s01e01/F.jpg
			sqs:ReceiveMessage tasks
			sqs:DeleteMessage tasks
			sqs:PurgeQueue results`,
		"ScheduleRole": `s3:GetObject /tuttle_twins/shuffle/current.json
			sqs:SendMessage tasks`,
		"ExecutionRole": `s3:GetObject /tuttle_twins/shuffle/current.json
			sqs:ReceiveMessage tasks`,
	} {
		for line := range strings.Lines(refused) {
			action, where, _ := strings.Cut(strings.TrimSpace(line), " ")
			r := stacktest.Request{Action: action, Resource: queue + where}
			switch {
			case strings.HasPrefix(action, "s3:"):
				r.Resource = bucket + where
			case strings.HasPrefix(action, "sns:"):
				r.Resource = strings.Replace(r.Resource, ":sqs:", ":sns:", 1)
			}
			if stacktest.Allows(s.Statements(role), r) {
				t.Errorf("%s may %s", role, r)
			}
		}
		for _, prefix := range []string{"other/", "t", "tuttle_twins"} {
			if r := (stacktest.Request{Action: "s3:ListBucket", Resource: bucket, Context: prefix}); stacktest.Allows(s.Statements(role), r) {
				t.Errorf("%s may %s", role, r)
			}
		}
	}
}

// TestRolesWake: a stage that wakes the tracker, or keeps it awake, may send to the results queue.
// A stage that removes old runs may delete them.
func TestRolesWake(t *testing.T) {
	s := stack(t, source(t), everything)
	for _, role := range []string{"PlannerRole", "TrackerRole"} {
		for _, r := range []stacktest.Request{
			{Action: "sqs:SendMessage", Resource: "arn:aws:sqs:us-west-2:000000000000:google-shuffle-results"},
			{Action: "s3:DeleteObject", Resource: "arn:aws:s3:::media.angel-nft.com/tuttle_twins/shuffle/runs/20261101T000000Z-1-k7f3/plan.json"},
		} {
			if !stacktest.Allows(s.Statements(role), r) {
				t.Errorf("%s may not %s", role, r)
			}
		}
	}
	r := stacktest.Request{Action: "sns:ListSubscriptionsByTopic", Resource: "arn:aws:sns:us-west-2:000000000000:google-shuffle-alerts"}
	if !stacktest.Allows(s.Statements("DoctorRole"), r) {
		t.Errorf("DoctorRole may not %s", r)
	}
}

// TestRolesAllow: planner and tracker may record the settings in force and the names of versions.
func TestRolesAllow(t *testing.T) {
	s := stack(t, source(t), everything)
	for _, role := range []string{"PlannerRole", "TrackerRole"} {
		for _, key := range []string{"settings.json", "seed.json", "versions/tags.json"} {
			for _, action := range []string{"s3:GetObject", "s3:PutObject"} {
				if r := (stacktest.Request{Action: action, Resource: "arn:aws:s3:::media.angel-nft.com/tuttle_twins/shuffle/" + key}); !stacktest.Allows(s.Statements(role), r) {
					t.Errorf("%s may not %s", role, r)
				}
			}
		}
	}
}
