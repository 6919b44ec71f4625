package stacktest

import (
	"encoding/json"
	"slices"
	"strings"
)

// resourceless are the actions that IAM cannot restrict to a resource (Service Authorization
// Reference, Amazon ECR).
var resourceless = []string{"ecr:GetAuthorizationToken"}

func noWildcards(s *Stack) (f Findings) {
	narrow := func(id string, p map[string]any) {
		f.addIf(p["ManagedPolicyArns"] != nil, "%s: a managed policy gives more than is needed", id)
		for _, st := range s.Statements(id) {
			if st.Effect != "Allow" {
				continue
			}
			for _, action := range st.Actions {
				f.addIf(strings.ContainsAny(action, "*?"), "%s/%s: action %s", id, st.Sid, action)
			}
			for _, resource := range st.Resources {
				f.addIf(isBroadARN(resource) && !slices.Equal(st.Actions, resourceless), "%s/%s: resource %s", id, st.Sid, resource)
			}
		}
	}
	s.each("AWS::IAM::Role", narrow)
	s.each("AWS::IAM::ManagedPolicy", narrow)
	return f
}

// isBroadARN reports whether an ARN has a wildcard as service, account or beginning of its
// resource.
func isBroadARN(arn string) bool {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return true
	}
	begin, _, _ := strings.Cut(parts[5], "*")
	return strings.ContainsAny(strings.Join(parts[:5], ""), "*?") || begin == "" || strings.Contains(begin, "?") && !strings.Contains(begin, "/")
}

func trustedServices(s *Stack) (f Findings) {
	s.each("AWS::IAM::Role", func(id string, p map[string]any) {
		for _, v := range list(at(p["AssumeRolePolicyDocument"], "Statement")) {
			f.addIf(!strings.HasSuffix(text(at(v, "Principal", "Service")), ".amazonaws.com"), "%s: trusts %v", id, at(v, "Principal"))
			f.addIf(at(v, "Condition", "StringEquals", "aws:SourceAccount") != Account, "%s: may be taken on from another account", id)
		}
	})
	return f
}

func redrive(s *Stack) (f Findings) {
	var targets []string
	s.each("AWS::SQS::Queue", func(_ string, p map[string]any) {
		targets = append(targets, text(at(p["RedrivePolicy"], "deadLetterTargetArn")))
	})
	s.each("AWS::Scheduler::Schedule", func(_ string, p map[string]any) {
		targets = append(targets, text(at(p["Target"], "DeadLetterConfig", "Arn")))
	})
	s.each("AWS::SQS::Queue", func(id string, p map[string]any) {
		arn := s.attribute(id, "Arn")
		if p["RedrivePolicy"] != nil {
			f.addIf(!s.has("AWS::SQS::Queue", text(at(p["RedrivePolicy"], "deadLetterTargetArn"))), "%s: redrives to no queue of the stack", id)
			return
		}
		f.addIf(!slices.Contains(targets, arn), "%s: no redrive policy, and nothing is redriven to it", id)
		f.addIf(p["RedriveAllowPolicy"] == nil, "%s: any queue may redrive to it", id)
		f.addIf(!s.watched(p), "%s: no alarm watches what arrives there", id)
	})
	return f
}

// watched reports whether an alarm watches a queue.
func (s *Stack) watched(queue map[string]any) bool {
	return slices.ContainsFunc(s.Of("AWS::CloudWatch::Alarm"), func(id string) bool {
		dimensions := list(s.Resources[id].Properties["Dimensions"])
		return len(dimensions) == 1 && at(dimensions[0], "Value") == queue["QueueName"]
	})
}

func queueEncryption(s *Stack) (f Findings) {
	guarded := map[string]bool{}
	s.each("AWS::SQS::QueuePolicy", func(_ string, p map[string]any) {
		for _, v := range list(at(p["PolicyDocument"], "Statement")) {
			if at(v, "Effect") == "Deny" && text(at(v, "Action")) == "sqs:*" && at(v, "Principal") == "*" && at(v, "Resource") == "*" &&
				at(v, "Condition", "Bool", "aws:SecureTransport") == "false" {
				for _, url := range texts(p["Queues"]) {
					guarded[url] = true
				}
			}
		}
	})
	s.each("AWS::SQS::Queue", func(id string, p map[string]any) {
		f.addIf(!guarded[text(s.ref(id))], "%s: no policy refuses calls without TLS", id)
		f.addIf(p["SqsManagedSseEnabled"] != true && p["KmsMasterKeyId"] == nil, "%s: is not encrypted", id)
	})
	return f
}

func nothingPublic(s *Stack) (f Findings) {
	for _, kind := range []string{"AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::EC2::SecurityGroupIngress"} {
		f.addIf(len(s.Of(kind)) > 0, "%v: the stack has no %s", s.Of(kind), kind)
	}
	s.each("AWS::EC2::SecurityGroup", func(id string, p map[string]any) {
		f.addIf(p["SecurityGroupIngress"] != nil, "%s: lets something in", id)
		f.addIf(p["SecurityGroupEgress"] == nil, "%s: lets everything out", id)
	})
	for _, kind := range []string{"AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"} {
		s.each(kind, func(id string, p map[string]any) {
			for _, v := range list(at(p["PolicyDocument"], "Statement")) {
				f.addIf(at(v, "Effect") == "Allow" && strings.Contains(text(at(v, "Principal")), "*"), "%s: lets anyone in", id)
				events := kind == "AWS::SNS::TopicPolicy" && text(at(v, "Principal", "Service")) == eventBridge
				f.addIf(at(v, "Effect") == "Allow" && !events && at(v, "Condition", "StringEquals", "aws:SourceAccount") != Account, "%s: lets other accounts in", id)
			}
		})
	}
	return f
}

const eventBridge = "events.amazonaws.com"

// rulesReach: a rule's alert arrives only if its topic admits EventBridge without a condition.
// (EventBridge User Guide, "Troubleshooting": condition blocks are not supported in the policies of
// its topics.) A rule's log line arrives only with a resource policy.
func rulesReach(s *Stack) (f Findings) {
	open := map[string]bool{}
	s.each("AWS::SNS::TopicPolicy", func(_ string, p map[string]any) {
		for _, v := range list(at(p["PolicyDocument"], "Statement")) {
			if at(v, "Effect") == "Allow" && text(at(v, "Principal", "Service")) == eventBridge && at(v, "Condition") == nil {
				open[text(at(v, "Resource"))] = true
			}
		}
	})
	s.each("AWS::Logs::ResourcePolicy", func(id string, p map[string]any) {
		var policy map[string]any
		if err := json.Unmarshal([]byte(text(p["PolicyDocument"])), &policy); err != nil {
			f.addIf(true, "%s: its document is no JSON: %v", id, err)
		}
		for _, v := range list(policy["Statement"]) {
			if at(v, "Effect") == "Allow" && slices.Contains(texts(at(v, "Principal", "Service")), eventBridge) && slices.Contains(texts(at(v, "Action")), "logs:PutLogEvents") {
				open[strings.TrimSuffix(text(at(v, "Resource")), ":*")] = true
			}
		}
	})
	s.each("AWS::Events::Rule", func(id string, p map[string]any) {
		for _, target := range list(p["Targets"]) {
			f.addIf(!open[text(at(target, "Arn"))], "%s: its target %v does not let EventBridge in, or not without a condition", id, at(target, "Arn"))
		}
	})
	return f
}
