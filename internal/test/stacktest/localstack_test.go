package stacktest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/test/stacktest"
	"github.com/angel-nft/google-shuffle/internal/test/testenv"
)

// deployed is the stack in an emulator, together with the template's own definition of it.
type deployed struct {
	stacktest.Cloud
	name      string
	resources map[string]stacktest.Deployed
	wanted    *stacktest.Stack
}

func deploy(t *testing.T, endpoint string) *deployed {
	t.Helper()
	c := stacktest.Cloud{T: t, Endpoint: endpoint}
	d := &deployed{Cloud: c, name: fmt.Sprintf("shuffle-%d", time.Now().UnixNano())}
	d.resources = c.Deploy(d.name, source(t), everything)
	parameters := maps.Clone(everything)
	parameters["AWS::StackName"] = d.name
	d.wanted = stack(t, source(t), parameters)
	return d
}

// with returns the same stack for a subtest.
func (d *deployed) with(t *testing.T) *deployed {
	other := *d
	other.T = t
	return &other
}

func (d *deployed) id(logical string) string { return d.resources[logical].PhysicalID }

// TestLocalStack: the resources of the template exist, and messages arrive when they should.
func TestLocalStack(t *testing.T) {
	d := deploy(t, testenv.AWSEndpoint(t))
	for id, r := range d.resources {
		if r.Status != "CREATE_COMPLETE" {
			t.Errorf("%s is %s", id, r.Status)
		}
	}
	if got, want := slices.Sorted(maps.Keys(d.resources)), slices.Sorted(maps.Keys(d.wanted.Resources)); !slices.Equal(got, want) {
		t.Errorf("resources: %s", cmp.Diff(want, got))
	}
	for name, test := range map[string]func(t *testing.T, d *deployed){
		"queues": testQueues, "redrive": testRedrive, "subscriptions": testSubscriptions, "alarms": testAlarms, "rules": testRules,
		"schedule": testSchedule, "roles": testRoles, "logs": testLogs, "a task that fails": testTaskFailed, "a run that fails": testRunFailed,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, d.with(t))
		})
	}
}

// attributes returns the attributes of a queue.
func (d *deployed) attributes(url string) map[string]string {
	d.T.Helper()
	var answer struct{ Attributes map[string]string }
	d.JSON("sqs", "AmazonSQS.GetQueueAttributes", map[string]any{"QueueUrl": url, "AttributeNames": []string{"All"}}, &answer)
	return answer.Attributes
}

func testQueues(t *testing.T, d *deployed) {
	for id, want := range map[string]struct {
		deadLetters string
		receives    int
	}{
		"TasksQueue": {"-dead-letters", 5}, "ResultsQueue": {"-results-dead-letters", 50},
		"DeadLetterQueue": {}, "ResultsDeadLetterQueue": {}, "PlannerDeadLetterQueue": {},
	} {
		a := d.attributes(d.id(id))
		if want.deadLetters != "" {
			var policy struct {
				DeadLetterTargetArn string `json:"deadLetterTargetArn"`
				MaxReceiveCount     int    `json:"maxReceiveCount"`
			}
			if err := json.Unmarshal([]byte(a["RedrivePolicy"]), &policy); err != nil || policy.MaxReceiveCount != want.receives ||
				!strings.HasSuffix(policy.DeadLetterTargetArn, d.name+want.deadLetters) {
				t.Errorf("%s: redrive policy %s", id, a["RedrivePolicy"])
			}
		}
		if a["SqsManagedSseEnabled"] != "true" || a["MessageRetentionPeriod"] != "1209600" || !strings.Contains(a["Policy"], "aws:SecureTransport") {
			t.Errorf("%s: attributes %v", id, a)
		}
	}
}

// messages receives from a queue until there is a message, and does not delete it.
func (d *deployed) messages(url string, wait time.Duration) []string {
	d.T.Helper()
	for deadline := time.Now().Add(wait); ; {
		var answer struct{ Messages []struct{ Body string } }
		d.JSON("sqs", "AmazonSQS.ReceiveMessage", map[string]any{"QueueUrl": url, "WaitTimeSeconds": 2, "VisibilityTimeout": 0, "MaxNumberOfMessages": 10}, &answer)
		if len(answer.Messages) > 0 || time.Now().After(deadline) {
			var bodies []string
			for _, m := range answer.Messages {
				bodies = append(bodies, m.Body)
			}
			return bodies
		}
	}
}

// testRedrive: a task that was received five times without success moves to the dead-letter queue.
func testRedrive(t *testing.T, d *deployed) {
	var sent struct{ MessageId string }
	d.JSON("sqs", "AmazonSQS.SendMessage", map[string]any{"QueueUrl": d.id("TasksQueue"), "MessageBody": "poison"}, &sent)
	for range 6 {
		var answer struct{ Messages []any }
		d.JSON("sqs", "AmazonSQS.ReceiveMessage", map[string]any{"QueueUrl": d.id("TasksQueue"), "WaitTimeSeconds": 0, "VisibilityTimeout": 0}, &answer)
	}
	if got := d.messages(d.id("DeadLetterQueue"), time.Minute); !slices.Equal(got, []string{"poison"}) {
		t.Errorf("dead letters %q", got)
	}
}

func testSubscriptions(t *testing.T, d *deployed) {
	var answer struct {
		Protocols []string `xml:"ListSubscriptionsByTopicResult>Subscriptions>member>Protocol"`
	}
	d.Query("sns", "ListSubscriptionsByTopic", map[string]string{"TopicArn": d.id("Alerts")}, &answer)
	for _, protocol := range []string{"email", "sms"} {
		if !slices.Contains(answer.Protocols, protocol) {
			t.Errorf("no subscription by %s: %v", protocol, answer.Protocols)
		}
	}
}

func testAlarms(t *testing.T, d *deployed) {
	var answer struct {
		Alarms []struct {
			AlarmName string
			Actions   []string `xml:"AlarmActions>member"`
			Missing   string   `xml:"TreatMissingData"`
			Periods   int      `xml:"EvaluationPeriods"`
			Needed    int      `xml:"DatapointsToAlarm"`
		} `xml:"DescribeAlarmsResult>MetricAlarms>member"`
	}
	d.Query("monitoring", "DescribeAlarms", map[string]string{"AlarmNamePrefix": d.name}, &answer)
	wanted := d.wanted.Of("AWS::CloudWatch::Alarm")
	for _, id := range wanted {
		p := d.wanted.Resources[id].Properties
		found := false
		for _, a := range answer.Alarms {
			if a.AlarmName == p["AlarmName"] {
				found = len(a.Actions) == 1 && a.Missing == p["TreatMissingData"] && a.Periods == p["EvaluationPeriods"] &&
					(p["DatapointsToAlarm"] == nil || a.Needed == p["DatapointsToAlarm"])
			}
		}
		if !found {
			t.Errorf("%s is not there as the template has it: %+v", id, answer.Alarms)
		}
	}
	if len(answer.Alarms) != len(wanted) {
		t.Errorf("%d alarms, expected %d", len(answer.Alarms), len(wanted))
	}
}

func testRules(t *testing.T, d *deployed) {
	for _, id := range d.wanted.Of("AWS::Events::Rule") {
		var rule struct{ EventPattern, State string }
		name := d.wanted.Resources[id].Properties["Name"]
		d.JSON("events", "AWSEvents.DescribeRule", map[string]any{"Name": name}, &rule)
		var targets struct{ Targets []struct{ Arn, ID string } }
		d.JSON("events", "AWSEvents.ListTargetsByRule", map[string]any{"Rule": name}, &targets)
		mails := slices.ContainsFunc(targets.Targets, func(target struct{ Arn, ID string }) bool { return target.Arn == d.id("Alerts") })
		want := len(d.wanted.Resources[id].Properties["Targets"].([]any))
		if rule.State != "ENABLED" || !json.Valid([]byte(rule.EventPattern)) || len(targets.Targets) != want || mails != (want == 2) {
			t.Errorf("%s: %+v, targets %+v", id, rule, targets)
		}
	}
}

func testSchedule(t *testing.T, d *deployed) {
	var got struct {
		ScheduleExpression, ScheduleExpressionTimezone, State string
		Target                                                struct {
			RoleArn          string
			DeadLetterConfig struct{ Arn string }
			RetryPolicy      struct{ MaximumRetryAttempts int }
		}
	}
	d.Get("scheduler", "/schedules/"+d.name+"-planner", &got)
	if got.ScheduleExpression != "cron(0 9 * * ? *)" || got.State != "ENABLED" || got.Target.RetryPolicy.MaximumRetryAttempts != 5 ||
		!strings.HasSuffix(got.Target.DeadLetterConfig.Arn, d.name+"-planner-dead-letters") || !strings.Contains(got.Target.RoleArn, d.id("ScheduleRole")) {
		t.Errorf("schedule %+v", got)
	}
}

// testRoles: the policies in IAM equal those in the template, so tests of the template are valid
// for IAM too.
func testRoles(t *testing.T, d *deployed) {
	for role, policy := range map[string]string{"PlannerRole": "plan", "WorkerRole": "work", "TrackerRole": "track", "DoctorRole": "diagnose"} {
		var answer struct {
			Document string `xml:"GetRolePolicyResult>PolicyDocument"`
		}
		d.Query("iam", "GetRolePolicy", map[string]string{"RoleName": d.id(role), "PolicyName": policy}, &answer)
		body, err := url.QueryUnescape(answer.Document)
		if err != nil {
			t.Fatal(err)
		}
		got, err := stacktest.ParsePolicy([]byte(body))
		if err != nil {
			t.Fatalf("%s: %v\n%s", role, err, body)
		}
		want := d.wanted.Statements(role)
		for i := range want { // LocalStack has no ECS, so it knows no cluster
			if want[i].Sid == "ProtectItselfWhileBusy" {
				want[i].Resources, got[i].Resources = nil, nil
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", role, diff)
		}
	}
}

func testLogs(t *testing.T, d *deployed) {
	var answer struct { // LocalStack drops the retention
		LogGroups []struct {
			LogGroupName string `json:"logGroupName"`
		} `json:"logGroups"`
	}
	d.JSON("logs", "Logs_20140328.DescribeLogGroups", map[string]any{"logGroupNamePrefix": "/" + d.name + "/"}, &answer)
	if len(answer.LogGroups) != 4 {
		t.Errorf("log groups %+v, expected four", answer.LogGroups)
	}
}

// inbox subscribes a queue of the test to the alerts.
func (d *deployed) inbox(name string) (url string) {
	d.T.Helper()
	var queue struct{ QueueUrl string }
	d.JSON("sqs", "AmazonSQS.CreateQueue", map[string]any{"QueueName": d.name + "-inbox-" + name}, &queue)
	var subscribed struct{}
	d.Query("sns", "Subscribe", map[string]string{
		"TopicArn": d.id("Alerts"), "Protocol": "sqs", "Endpoint": d.attributes(queue.QueueUrl)["QueueArn"],
		"Attributes.entry.1.key": "RawMessageDelivery", "Attributes.entry.1.value": "true",
	}, &subscribed)
	return queue.QueueUrl
}

// alert waits for the alert that contains want, and fails when an alert contains unwanted.
func (d *deployed) alert(inbox, want, unwanted string) {
	d.T.Helper()
	deadline := time.Now().Add(6 * time.Minute)
	for time.Now().Before(deadline) {
		for _, m := range d.messages(inbox, 10*time.Second) {
			if unwanted != "" && strings.Contains(m, unwanted) {
				d.T.Fatalf("an alert that nobody should get: %s", m)
			}
			if strings.Contains(m, want) {
				return
			}
		}
	}
	d.T.Errorf("no alert about %s", want)
}

// stoppedEvent is the event that ECS sends for a task that has ended.
func (d *deployed) stoppedEvent(cluster, group, task, stopCode string, containers ...map[string]any) map[string]any {
	detail, err := json.Marshal(map[string]any{
		"clusterArn": cluster, "lastStatus": "STOPPED", "group": group, "stoppedReason": "Essential container in task exited",
		"stopCode": stopCode, "taskArn": task, "containers": containers,
	})
	if err != nil {
		d.T.Fatal(err)
	}
	return map[string]any{"Source": "aws.ecs", "DetailType": "ECS Task State Change", "Detail": string(detail)}
}

// testTaskFailed: each failure of the planner sends a mail with the command to type. No mail is
// sent for a planner that succeeds, with held episodes or beside another run. Services send none,
// because they may fail every few minutes, and neither do commands that someone typed.
func testTaskFailed(t *testing.T, d *deployed) {
	inbox := d.inbox("tasks")
	var rule struct{ EventPattern string }
	d.JSON("events", "AWSEvents.DescribeRule", map[string]any{"Name": d.name + "-planner-failed"}, &rule)
	var pattern struct {
		Detail struct {
			ClusterArn []string `json:"clusterArn"`
		} `json:"detail"`
	}
	if err := json.Unmarshal([]byte(rule.EventPattern), &pattern); err != nil || len(pattern.Detail.ClusterArn) != 1 {
		t.Fatalf("pattern %s: %v", rule.EventPattern, err)
	}
	// LocalStack chooses the cluster
	cluster, planner := pattern.Detail.ClusterArn[0], d.name+"-planner"
	exited := func(group, task string, code int) any {
		return d.stoppedEvent(cluster, group, task, "EssentialContainerExited", map[string]any{"exitCode": code})
	}
	var answer struct{ FailedEntryCount int }
	d.JSON("events", "AWSEvents.PutEvents", map[string]any{"Entries": []any{
		exited(planner, "task/quiet-well", 0), exited(planner, "task/quiet-held", 1), exited(planner, "task/quiet-blocked", 3),
		exited("service:"+d.name+"-worker", "task/quiet-worker", 1), exited("operator", "task/quiet-command", 2),
		exited("other-planner", "task/quiet-of-another-stack", 2),
		d.stoppedEvent(cluster, "service:"+d.name+"-tracker", "task/quiet-tracker", "TaskFailedToStart"),
		exited(planner, "task/killed", 137), exited(planner, "task/refused", 2),
		d.stoppedEvent(cluster, planner, "task/never-started", "TaskFailedToStart", map[string]any{"reason": "CannotPullContainerError"}),
	}}, &answer)
	for _, want := range []string{"task/killed", "task/never-started", "task/refused ended with 2", "shuffle settings", "shuffle plan --change-settings"} {
		d.alert(inbox, want, "task/quiet")
	}
}

// testRunFailed: the metric in the tracker's log line triggers the alarm, and the alarm's mail has
// the commands to type.
func testRunFailed(t *testing.T, d *deployed) {
	inbox := d.inbox("runs")
	var put struct{}
	d.Query("monitoring", "PutMetricData", map[string]string{
		"Namespace": "GoogleShuffle/" + d.name, "MetricData.member.1.MetricName": "RunFailed", "MetricData.member.1.Value": "1", "MetricData.member.1.Unit": "Count",
		"MetricData.member.1.Dimensions.member.1.Name": "Prefix", "MetricData.member.1.Dimensions.member.1.Value": "tuttle_twins",
	}, &put)
	d.alert(inbox, "shuffle redrive RUN", "")
}
