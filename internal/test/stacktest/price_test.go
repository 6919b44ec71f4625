package stacktest_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/test/stacktest"
)

// monthlyPrices are the monthly prices of resources that cost something even without use. TestMonth
// adds the prices by use.
var monthlyPrices = map[string]func(s *stacktest.Stack, id string) float64{
	"AWS::CloudWatch::Dashboard":  func(*stacktest.Stack, string) float64 { return dashboardMonth },
	"AWS::SecretsManager::Secret": func(*stacktest.Stack, string) float64 { return 0.40 },
	// Ten images of 15 MB.
	"AWS::ECR::Repository": func(*stacktest.Stack, string) float64 { return 10 * 0.015 * 0.10 },
	// 10 MB.
	"AWS::Logs::LogGroup": func(*stacktest.Stack, string) float64 { return 0.01 * 0.53 },
	"AWS::CloudWatch::Alarm": func(s *stacktest.Stack, id string) float64 {
		metrics, _ := s.Resources[id].Properties["Metrics"].([]any)
		return alarmMonth * float64(max(1, len(metrics)-1)) // without the expression
	},
	"AWS::ApplicationAutoScaling::ScalingPolicy": func(s *stacktest.Stack, id string) float64 {
		if s.Resources[id].Properties["PolicyType"] == "TargetTrackingScaling" {
			return alarmMonth * 2 // the alarm that it creates, over two metrics
		}
		return 0
	},
}

// freeAtRest are the types that cost nothing without use.
var freeAtRest = []string{
	"AWS::EC2::InternetGateway", "AWS::EC2::Route", "AWS::EC2::RouteTable", "AWS::EC2::SecurityGroup", "AWS::EC2::Subnet",
	"AWS::EC2::SubnetRouteTableAssociation", "AWS::EC2::VPC", "AWS::EC2::VPCEndpoint", "AWS::EC2::VPCGatewayAttachment",
	"AWS::ECS::Cluster", "AWS::ECS::Service", "AWS::ECS::TaskDefinition", "AWS::ApplicationAutoScaling::ScalableTarget",
	"AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "AWS::SNS::Subscription",
	"AWS::IAM::Role", "AWS::IAM::ManagedPolicy", "AWS::Events::Rule", "AWS::Scheduler::Schedule", "AWS::Logs::ResourcePolicy",
}

// restingCost is the monthly cost of a stack when no task runs.
func restingCost(t *testing.T, s *stacktest.Stack) float64 {
	t.Helper()
	total, alarms := 0.0, 0.0
	for id, r := range s.Resources {
		price := monthlyPrices[r.Type]
		switch {
		case price == nil:
			if !slices.Contains(freeAtRest, r.Type) {
				t.Errorf("%s: nobody has said what a %s costs", id, r.Type)
			}
		case strings.HasPrefix(r.Type, "AWS::CloudWatch::Alarm"), strings.HasPrefix(r.Type, "AWS::ApplicationAutoScaling"):
			alarms += price(s, id)
		default:
			total += price(s, id)
		}
	}
	return total + max(0, alarms-freeAlarms*alarmMonth)
}

// TestMonth adds up the cost of a month for the two ways in which the program is used, and compares
// docs/aws.md with it.
func TestMonth(t *testing.T) {
	parameters := maps.Clone(everything)
	s := stack(t, source(t), parameters)
	scaling, err := s.Scaling()
	if err != nil {
		t.Fatal(err)
	}
	parameters["WithDashboard"] = "false"
	plain := restingCost(t, stack(t, source(t), parameters))
	const (
		keys = 2 * seasonFrames
		// The plan lists sources and datasets, the verification lists the datasets again.
		lists   = keys / 1000 * 1.5 * listRequest
		metrics = runMetrics * metricMonth * 30 / (30 * 24) // sent in one hour of each day
		// A copy decrypts once and encrypts once.
		keyed = 2 * seasonFrames * kmsRequest
	)
	// run is the cost of the planner and the tracker in a run: the tracker goes to sleep half an
	// hour after the last message.
	run := func(f fargate) float64 { return 3.0/60*f.worker() + 40.0/60*f.tracker() + lists }
	trickle := scaling.Simulate(usual(aTrickle), 30*day)
	month := func(f fargate) float64 {
		workers, requests := f.cost(trickle)
		return plain + metrics + workers + requests + 30*run(f)
	}
	season := scaling.Simulate(usual(aSeason), 2*60*minute)
	workers, requests := x86.cost(season)
	once := workers + requests + run(x86)
	page, err := os.ReadFile("../../../docs/aws.md")
	if err != nil {
		t.Fatal(err)
	}
	for what, dollars := range map[string]float64{
		"at rest": plain, "a few hundred frames a day": month(x86), "the same on ARM64": month(arm), "the dashboard": dashboardMonth, "a season reshuffled": once, "a season with a KMS key": keyed,
	} {
		if figure := fmt.Sprintf("$%.2f", dollars); !strings.Contains(string(page), figure) {
			t.Errorf("%s: docs/aws.md has no %s", what, figure)
		}
	}
}
