package stacktest_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/test/stacktest"
)

const path = "../../../deploy/stack.yaml"

// everything has parameters that make all of a stack's conditions true.
var everything = map[string]string{
	"AlertEmail": "oncall@example.com", "AlertPhone": "+15555550100", "ImageTag": "v1",
	"BucketKeyArn": "arn:aws:kms:us-west-2:000000000000:key/1", "Prefix": "tuttle_twins", "BucketAlias": "media-copy",
	"Split": "train=0.8,test=0.2", "Group": "10s", "Stratify": "true", "Guard": "12", "Subsample": "2", "Classes": "Common,Rare", "ImageSize": "small",
	"MaxBadRows": "50", "MaxDelete": "5%", "MaxRefresh": "20%", "MaxDead": "2%", "MinPerClass": "3", "KeepVersions": "10", "KeepRuns": "50", "Architecture": "ARM64",
}

var inTheirNetwork = map[string]string{
	"AlertEmail": "oncall@example.com", "ImageTag": "v1", "VpcId": "vpc-1", "SubnetIds": "subnet-1,subnet-2", "PublicAddresses": "DISABLED", "ClusterName": "apps",
}

func source(t testing.TB) []byte {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// stack resolves a template's text with the parameters.
func stack(t testing.TB, body []byte, parameters map[string]string) *stacktest.Stack {
	t.Helper()
	template, err := stacktest.Parse(body)
	if err != nil {
		t.Fatal(err)
	}
	s, err := template.Resolve(parameters)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRules(t *testing.T) {
	for name, parameters := range map[string]map[string]string{
		"everything": everything, "defaults": {"AlertEmail": "oncall@example.com", "ImageTag": "v1"}, "in a network of theirs": inTheirNetwork,
	} {
		s := stack(t, source(t), parameters)
		for _, rule := range stacktest.Rules {
			for _, finding := range rule.Check(s) {
				t.Errorf("%s: %s: %s", name, rule.Name, finding)
			}
		}
	}
}

// TestTheirCluster: with a given cluster the stack creates none, and all resources of its tasks
// refer to the given one.
func TestTheirCluster(t *testing.T) {
	s := stack(t, source(t), inTheirNetwork) // it refuses a reference to the stack's own cluster
	if made := s.Of("AWS::ECS::Cluster"); len(made) > 0 {
		t.Errorf("%v is made all the same", made)
	}
	const theirs = "arn:aws:ecs:us-west-2:000000000000:cluster/apps"
	for _, id := range s.Of("AWS::ECS::Service") {
		if got := s.Resources[id].Properties["Cluster"]; got != "apps" {
			t.Errorf("%s is in the cluster %v", id, got)
		}
	}
	if got := s.Resources["PlannerSchedule"].Properties["Target"].(map[string]any)["Arn"]; got != theirs {
		t.Errorf("the schedule starts its task in %v", got)
	}
	for role, r := range map[string]stacktest.Request{
		"ScheduleRole":   {Action: "ecs:RunTask", Resource: "arn:aws:ecs:us-west-2:000000000000:task-definition/google-shuffle-planner:1", Context: theirs},
		"OperatorPolicy": {Action: "ecs:RunTask", Resource: "arn:aws:ecs:us-west-2:000000000000:task-definition/google-shuffle-doctor:1", Context: theirs},
		"WorkerRole":     {Action: "ecs:UpdateTaskProtection", Resource: "arn:aws:ecs:us-west-2:000000000000:task/apps/0123456789abcdef"},
	} {
		if !stacktest.Allows(s.Statements(role), r) {
			t.Errorf("%s may not %s", role, r)
		}
	}
}

// TestTheirNetwork: with given subnets the stack creates no network, and its tasks use the given
// subnets.
func TestTheirNetwork(t *testing.T) {
	s := stack(t, source(t), inTheirNetwork)
	for id, r := range s.Resources {
		if strings.HasPrefix(r.Type, "AWS::EC2::") && r.Type != "AWS::EC2::SecurityGroup" {
			t.Errorf("%s (%s) is made all the same", id, r.Type)
		}
	}
	if got := s.Resources["OutboundOnly"].Properties["VpcId"]; got != "vpc-1" {
		t.Errorf("the security group is in %v", got)
	}
	networks := []any{s.Resources["PlannerSchedule"].Properties["Target"].(map[string]any)["EcsParameters"].(map[string]any)["NetworkConfiguration"]}
	for _, id := range s.Of("AWS::ECS::Service") {
		networks = append(networks, s.Resources[id].Properties["NetworkConfiguration"])
	}
	want := map[string]any{"AwsvpcConfiguration": map[string]any{
		"Subnets": []any{"subnet-1", "subnet-2"}, "SecurityGroups": []any{"OutboundOnly"}, "AssignPublicIp": "DISABLED",
	}}
	for _, network := range networks {
		if diff := cmp.Diff(want, network); diff != "" {
			t.Error(diff)
		}
	}
	if len(networks) != 3 {
		t.Errorf("%d networks", len(networks))
	}
}

// TestWithoutImage: before the first image, the stack has the repository for it, and nothing that
// would start it.
func TestWithoutImage(t *testing.T) {
	s := stack(t, source(t), map[string]string{"AlertEmail": "oncall@example.com"})
	for kind, want := range map[string]int{"AWS::ECR::Repository": 1, "AWS::ECS::Service": 0, "AWS::Scheduler::Schedule": 0, "AWS::ApplicationAutoScaling::ScalableTarget": 0} {
		if got := len(s.Of(kind)); got != want {
			t.Errorf("%d of %s, expected %d", got, kind, want)
		}
	}
}

// TestRulesFind: each rule finds each of the faults that it exists for.
func TestRulesFind(t *testing.T) {
	mutated := map[string]bool{}
	for _, m := range mutations {
		mutated[m.rule] = true
		t.Run(m.rule+"/"+m.fault, func(t *testing.T) {
			body := source(t)
			if m.new == "" && m.old == "" {
				t.Fatal("a mutation that changes nothing")
			}
			if !bytes.Contains(body, []byte(m.old)) {
				t.Fatalf("the template has no %q to change", m.old)
			}
			s := stack(t, bytes.Replace(body, []byte(m.old), []byte(m.new), 1), everything)
			for _, rule := range stacktest.Rules {
				if rule.Name == m.rule && len(rule.Check(s)) == 0 {
					t.Error("not found")
				}
			}
		})
	}
	for _, rule := range stacktest.Rules {
		if !mutated[rule.Name] {
			t.Errorf("no fault shows that the rule %q can fail", rule.Name)
		}
	}
}

// TestParse: the parser refuses the YAML that CloudFormation refuses, and references without a
// target.
func TestParse(t *testing.T) {
	body := source(t)
	for name, change := range map[string][2]string{
		"alias":     {"RepositoryName: !Ref AWS::StackName", "RepositoryName: &name shuffle\n      Other: *name"},
		"duplicate": {"      VisibilityTimeout: 60\n", "      VisibilityTimeout: 60\n      VisibilityTimeout: 30\n"},
		"ref":       {"!Ref DeadLetterQueue", "!Ref DeadLetters"},
		"attribute": {"!GetAtt TasksQueue.Arn", "!GetAtt TaskQueue.Arn"},
		"condition": {"Condition: HasImage", "Condition: HasPicture"},
	} {
		changed := bytes.Replace(body, []byte(change[0]), []byte(change[1]), 1)
		if bytes.Equal(changed, body) {
			t.Fatalf("%s: nothing to change", name)
		}
		template, err := stacktest.Parse(changed)
		if err == nil {
			_, err = template.Resolve(everything)
		}
		if err == nil {
			t.Errorf("%s: not refused", name)
		}
	}
}
