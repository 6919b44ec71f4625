package stacktest_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/test/stacktest"
	"github.com/angel-nft/google-shuffle/internal/test/testenv"
)

// silent are the types that moto ignores without a message.
var silent = []string{
	"AWS::SQS::QueuePolicy", "AWS::SNS::Subscription", "AWS::SNS::TopicPolicy", "AWS::SecretsManager::Secret", "AWS::Scheduler::Schedule",
	"AWS::ApplicationAutoScaling::ScalableTarget", "AWS::ApplicationAutoScaling::ScalingPolicy", "AWS::CloudWatch::Alarm",
	"AWS::Logs::ResourcePolicy",
}

// TestMoto: ECS and the dashboard, which LocalStack only pretends to have.
func TestMoto(t *testing.T) {
	d := deploy(t, testenv.MotoEndpoint(t))
	for id, r := range d.wanted.Resources {
		if d.id(id) == "" && !slices.Contains(silent, r.Type) {
			t.Errorf("%s (%s) is not there", id, r.Type)
		}
	}
	for name, test := range map[string]func(t *testing.T, d *deployed){
		"cluster": testCluster, "task definitions": testTaskDefinitions, "services": testServices, "roles": testTrust, "dashboard": testDashboard,
		"logs": testRetention,
	} {
		t.Run(name, func(t *testing.T) { test(t, d.with(t)) })
	}
}

const ecs = "AmazonEC2ContainerServiceV20141113."

func testCluster(t *testing.T, d *deployed) {
	var answer struct {
		Clusters []struct {
			Status string `json:"status"`
		} `json:"clusters"`
	}
	d.JSON("ecs", ecs+"DescribeClusters", map[string]any{"clusters": []string{d.name}}, &answer)
	if len(answer.Clusters) != 1 || answer.Clusters[0].Status != "ACTIVE" {
		t.Errorf("%+v", answer)
	}
}

type container struct {
	Image                  string
	Command                []string
	User                   string
	ReadonlyRootFilesystem bool
	Environment            []struct{ Name, Value string }
	Secrets                []struct{ Name, ValueFrom string }
}

// testTaskDefinitions checks the fields that moto keeps. It drops roles and sizes.
func testTaskDefinitions(t *testing.T, d *deployed) {
	for id, command := range map[string]string{"PlannerTask": "plan", "WorkerTask": "work", "TrackerTask": "track", "DoctorTask": "doctor"} {
		var answer struct {
			TaskDefinition struct{ ContainerDefinitions []container }
		}
		d.JSON("ecs", ecs+"DescribeTaskDefinition", map[string]any{"taskDefinition": d.id(id)}, &answer)
		def := answer.TaskDefinition
		if len(def.ContainerDefinitions) != 1 {
			t.Fatalf("%s: %d containers", id, len(def.ContainerDefinitions))
		}
		c := def.ContainerDefinitions[0]
		if !slices.Equal(c.Command, []string{command}) || !strings.HasSuffix(c.Image, "/"+d.name+":v1") || !c.ReadonlyRootFilesystem || c.User != "65532:65532" {
			t.Errorf("%s: %+v", id, c)
		}
		env := map[string]string{}
		for _, v := range c.Environment {
			env[v.Name] = v.Value
		}
		if env["SHUFFLE_BUCKET"] != "s3://media.angel-nft.com" || env["SHUFFLE_TASKS_QUEUE"] != d.id("TasksQueue") || env["SHUFFLE_DEAD_LETTER_QUEUE"] != d.id("DeadLetterQueue") {
			t.Errorf("%s: environment %v", id, env)
		}
		if withSecret := len(c.Secrets) == 1; withSecret != (id == "PlannerTask" || id == "DoctorTask") {
			t.Errorf("%s: secrets %v", id, c.Secrets)
		}
	}
}

func testServices(t *testing.T, d *deployed) {
	var answer struct {
		Services []struct{ ServiceName, TaskDefinition, Status string } `json:"services"`
	}
	d.JSON("ecs", ecs+"DescribeServices", map[string]any{"cluster": d.name, "services": []string{d.name + "-worker", d.name + "-tracker"}}, &answer)
	if len(answer.Services) != 2 {
		t.Fatalf("%+v", answer)
	}
	for _, s := range answer.Services {
		if s.Status != "ACTIVE" || !strings.Contains(s.TaskDefinition, s.ServiceName) {
			t.Errorf("%+v", s)
		}
	}
}

// testTrust: the service that needs a role may assume it.
func testTrust(t *testing.T, d *deployed) {
	for role, service := range map[string]string{
		"PlannerRole": "ecs-tasks", "WorkerRole": "ecs-tasks", "TrackerRole": "ecs-tasks", "DoctorRole": "ecs-tasks", "ReminderRole": "scheduler", "ExecutionRole": "ecs-tasks", "ScheduleRole": "scheduler",
	} {
		var answer struct {
			Document string `xml:"GetRoleResult>Role>AssumeRolePolicyDocument"`
		}
		d.Query("iam", "GetRole", map[string]string{"RoleName": d.id(role)}, &answer)
		if !strings.Contains(answer.Document, service+".amazonaws.com") {
			t.Errorf("%s: %s", role, answer.Document)
		}
	}
}

func testDashboard(t *testing.T, d *deployed) {
	var answer struct {
		Body string `xml:"GetDashboardResult>DashboardBody"`
	}
	d.Query("monitoring", "GetDashboard", map[string]string{"DashboardName": d.name}, &answer)
	var got, want any
	wanted := fmt.Sprint(d.wanted.Resources["Dashboard"].Properties["DashboardBody"])
	// Moto's account.
	if err := json.Unmarshal([]byte(strings.ReplaceAll(answer.Body, "123456789012", stacktest.Account)), &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(wanted), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func testRetention(t *testing.T, d *deployed) {
	var answer struct {
		LogGroups []struct {
			LogGroupName    string `json:"logGroupName"`
			RetentionInDays int    `json:"retentionInDays"`
		} `json:"logGroups"`
	}
	d.JSON("logs", "Logs_20140328.DescribeLogGroups", map[string]any{"logGroupNamePrefix": "/" + d.name + "/"}, &answer)
	if len(answer.LogGroups) != 4 {
		t.Errorf("log groups %+v, expected four", answer.LogGroups)
	}
	for _, g := range answer.LogGroups {
		if g.RetentionInDays != 90 {
			t.Errorf("%+v, expected 90 days", g)
		}
	}
}
