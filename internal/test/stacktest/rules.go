package stacktest

import (
	"fmt"
	"strings"
	"time"
)

// Rule is a rule for a stack that cfn-lint does not check. Check returns the violations.
type Rule struct {
	Name  string
	Check func(s *Stack) Findings
}

// Rules are the rules of the project.
var Rules = []Rule{
	{"logs have a retention", logRetention},
	{"root file systems are read-only", readOnlyRoot},
	{"no task is root or privileged", unprivileged},
	{"a task has time to drain", drainTime},
	{"each task has a role of its own", taskRoles},
	{"alarms act", alarmsAct},
	{"silence is a failure where success is awaited", silence},
	{"an alarm does not stick where metrics are late", fills},
	{"silence is told daily", reminds},
	{"what rules send arrives", rulesReach},
	{"what fails again and again is one mail", mailFlood},
	{"two stacks in one account do not meet", apart},
	{"what is kept, and what goes, is said", keeps},
	{"lines that alarms hang on are not dropped", logMode},
	{"tasks have a size of Fargate's", sizes},
	{"tasks run on the processor that the image is for", platforms},
	{"services wait for the routes of their subnets", routes},
	{"metric math names its metrics", metricMath},
	{"the schedule may start its task", scheduleRights},
	{"the schedule is a schedule", scheduleExpression},
	{"policies have no wildcard", noWildcards},
	{"roles are for this account's services", trustedServices},
	{"queues have somewhere for what fails", redrive},
	{"queues are encrypted, in transit too", queueEncryption},
	{"nothing is public", nothingPublic},
	{"a service has one way to its capacity", capacity},
	{"services scale from zero and back", scaleToZero},
	{"a busy task is not ended", protection},
	{"images are scanned and expire", images},
	{"dashboards are JSON and show what is there", dashboards},
	{"parameters have a default, a description and a form", defaults},
	{"every setting of a plan has a parameter", settings},
	{"the template fits into CloudFormation's quotas", quotas},
}

// Findings are the violations of a rule, one per line.
type Findings []string

func (f *Findings) addIf(bad bool, format string, args ...any) {
	if bad {
		*f = append(*f, fmt.Sprintf(format, args...))
	}
}

// each calls visit for every resource of a type, with its properties.
func (s *Stack) each(kind string, visit func(id string, p map[string]any)) {
	for _, id := range s.Of(kind) {
		visit(id, s.Resources[id].Properties)
	}
}

// containers calls visit for every container of every task definition.
func (s *Stack) containers(visit func(id string, c any)) {
	s.each("AWS::ECS::TaskDefinition", func(id string, p map[string]any) {
		for _, c := range list(p["ContainerDefinitions"]) {
			visit(id+"/"+text(at(c, "Name")), c)
		}
	})
}

func logRetention(s *Stack) (f Findings) {
	s.each("AWS::Logs::LogGroup", func(id string, p map[string]any) {
		f.addIf(p["RetentionInDays"] == nil, "%s: keeps its logs for ever; set RetentionInDays", id)
	})
	s.containers(func(id string, c any) {
		f.addIf(at(c, "LogConfiguration", "Options", "awslogs-group") == nil, "%s: writes no log", id)
	})
	return f
}

func readOnlyRoot(s *Stack) (f Findings) {
	s.containers(func(id string, c any) {
		f.addIf(at(c, "ReadonlyRootFilesystem") != true, "%s: ReadonlyRootFilesystem is not true", id)
	})
	return f
}

func unprivileged(s *Stack) (f Findings) {
	s.containers(func(id string, c any) {
		user := text(at(c, "User"))
		f.addIf(user == "" || strings.HasPrefix(user, "0") || strings.HasPrefix(user, "root"), "%s: runs as %q", id, user)
		f.addIf(at(c, "Privileged") != nil, "%s: Privileged is set", id)
		f.addIf(text(at(c, "LinuxParameters", "Capabilities", "Drop")) != "[ALL]", "%s: keeps capabilities", id)
	})
	return f
}

func taskRoles(s *Stack) (f Findings) {
	taken := map[string]string{}
	s.each("AWS::ECS::TaskDefinition", func(id string, p map[string]any) {
		role := text(p["TaskRoleArn"])
		f.addIf(!s.has("AWS::IAM::Role", role), "%s: TaskRoleArn %q is no role of the stack", id, role)
		f.addIf(taken[role] != "", "%s: has the role of %s", id, taken[role])
		f.addIf(role == text(p["ExecutionRoleArn"]), "%s: may do what starts it", id)
		taken[role] = id
	})
	return f
}

// Fargate waits 30 s by default, and at most 120 s.
const (
	stopTimeout    = 30
	maxStopTimeout = 120
	defaultDrain   = 25 * time.Second
)

func drainTime(s *Stack) (f Findings) {
	s.containers(func(id string, c any) {
		stop, set := at(c, "StopTimeout").(int)
		if !set {
			stop = stopTimeout
		}
		f.addIf(stop > maxStopTimeout, "%s: StopTimeout %d is over the %d s of Fargate", id, stop, maxStopTimeout)
		drain := defaultDrain
		for _, v := range list(at(c, "Environment")) {
			if at(v, "Name") == "SHUFFLE_DRAIN" {
				var err error
				drain, err = time.ParseDuration(text(at(v, "Value")))
				f.addIf(err != nil, "%s: SHUFFLE_DRAIN: %v", id, err)
			}
		}
		f.addIf(drain >= time.Duration(stop)*time.Second, "%s: SHUFFLE_DRAIN %s is not below StopTimeout %d", id, drain, stop)
	})
	return f
}

func capacity(s *Stack) (f Findings) {
	s.each("AWS::ECS::Service", func(id string, p map[string]any) {
		f.addIf((p["LaunchType"] == nil) == (p["CapacityProviderStrategy"] == nil), "%s: expected one of LaunchType and CapacityProviderStrategy", id)
		f.addIf(p["DesiredCount"] != nil, "%s: DesiredCount undoes what the scaling has set, at each update", id)
		f.addIf(at(p["DeploymentConfiguration"], "DeploymentCircuitBreaker", "Rollback") != true, "%s: a deployment that fails is not rolled back", id)
	})
	s.each("AWS::Scheduler::Schedule", func(id string, p map[string]any) {
		ecs := at(p["Target"], "EcsParameters")
		f.addIf(ecs != nil && (at(ecs, "LaunchType") == nil) == (at(ecs, "CapacityProviderStrategy") == nil), "%s: expected one of LaunchType and CapacityProviderStrategy", id)
	})
	return f
}

func images(s *Stack) (f Findings) {
	s.each("AWS::ECR::Repository", func(id string, p map[string]any) {
		f.addIf(at(p["ImageScanningConfiguration"], "ScanOnPush") != true, "%s: images are not scanned", id)
		f.addIf(!isJSON(text(at(p["LifecyclePolicy"], "LifecyclePolicyText"))), "%s: no lifecycle policy in JSON", id)
		f.addIf(p["ImageTagMutability"] != "IMMUTABLE", "%s: a tag may become another image", id)
	})
	return f
}

func defaults(s *Stack) (f Findings) {
	for name, p := range s.template.Parameters {
		f.addIf(at(p, "Default") == nil && name != "AlertEmail", "parameter %s: no default", name)
		f.addIf(at(p, "Description") == nil, "parameter %s: no description", name)
		f.addIf(at(p, "Type") == "String" && at(p, "AllowedPattern") == nil && at(p, "AllowedValues") == nil, "parameter %s: takes any text", name)
	}
	return f
}

// quotas checks those of CloudFormation (User Guide, "Understand CloudFormation quotas"). A
// template of more than 51,200 bytes must be uploaded to a bucket, as deploy/up does. A tenth of
// each quota must stay free for later changes.
func quotas(s *Stack) (f Findings) {
	for _, q := range []struct {
		name      string
		have, max int
	}{
		{"bytes", s.template.Size, 1 << 20}, {"parameters", len(s.template.Parameters), 200}, {"resources", len(s.template.Resources), 500},
	} {
		f.addIf(q.have > q.max*9/10, "the template has %d %s of %d, expected a tenth to be free", q.have, q.name, q.max)
	}
	return f
}
