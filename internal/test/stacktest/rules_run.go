package stacktest

import (
	"slices"
	"strings"
)

// mailFlood: an event that can happen every few minutes must not send a mail each time. Only a rule
// for the planner, which the schedule starts, may send mails. The other rules write to a log, and
// an alarm watches the log.
func mailFlood(s *Stack) (f Findings) {
	s.each("AWS::Events::Rule", func(id string, p map[string]any) {
		planner := slices.Equal(texts(at(p["EventPattern"], "detail", "group")), []string{text(s.values["AWS::StackName"]) + "-planner"})
		logged := false
		for _, target := range list(p["Targets"]) {
			mails := s.has("AWS::SNS::Topic", text(at(target, "Arn")))
			f.addIf(mails && !planner, "%s: mails of every event; let an alarm watch it instead", id)
			logged = logged || !mails
		}
		f.addIf(!logged, "%s: no log keeps what it saw", id)
		mails := len(list(p["Targets"])) > 1
		f.addIf(!mails && !s.alarmWatches(text(p["Name"])), "%s: no alarm watches it", id)
	})
	return f
}

// alarmWatches reports whether an alarm counts the matches of a rule.
func (s *Stack) alarmWatches(rule string) bool {
	about := func(dimensions any) bool {
		return slices.ContainsFunc(list(dimensions), func(d any) bool { return at(d, "Name") == "RuleName" && at(d, "Value") == rule })
	}
	return slices.ContainsFunc(s.Of("AWS::CloudWatch::Alarm"), func(id string) bool {
		p := s.Resources[id].Properties
		return about(p["Dimensions"]) || slices.ContainsFunc(list(p["Metrics"]), func(m any) bool { return about(at(m, "MetricStat", "Metric", "Dimensions")) })
	})
}

// global are the properties that name a resource in its account and region.
var global = []string{"QueueName", "TopicName", "ClusterName", "LogGroupName", "RepositoryName", "AlarmName", "DashboardName", "Family", "PolicyName", "Name"}

// apart: every name in the account contains the stack's name, and so do the metrics of runs. In a
// cluster that two stacks share, a rule applies only to the tasks of one of them.
func apart(s *Stack) (f Findings) {
	other, err := s.template.Resolve(map[string]string{"AlertEmail": "oncall@example.com", "ImageTag": "v1", "AWS::StackName": "staging", "ClusterName": "apps"})
	if err != nil {
		return Findings{err.Error()}
	}
	other.each("AWS::ECS::Service", func(id string, p map[string]any) {
		f.addIf(!strings.Contains(text(p["ServiceName"]), "staging"), "%s: is named %v in every stack of a cluster", id, p["ServiceName"])
	})
	other.each("AWS::Events::Rule", func(id string, p map[string]any) {
		of := append(texts(at(p["EventPattern"], "detail", "group")), texts(at(p["EventPattern"], "resources"))...)
		for _, pattern := range of {
			f.addIf(!strings.Contains(pattern, "staging"), "%s: matches %s, in every stack of a cluster", id, pattern)
		}
		f.addIf(len(of) == 0, "%s: matches every task of a cluster", id)
	})
	for id, r := range other.Resources {
		for _, property := range global {
			mine, theirs := s.Resources[id].Properties[property], r.Properties[property]
			// Its name is unique only within its target.
			scaling := r.Type == "AWS::ApplicationAutoScaling::ScalingPolicy"
			f.addIf(mine != nil && !scaling && mine == theirs, "%s: %s is %v in every stack", id, property, mine)
		}
		namespace := text(r.Properties["Namespace"])
		f.addIf(strings.HasPrefix(namespace, "GoogleShuffle") && !strings.HasSuffix(namespace, "/staging"), "%s: watches %s, which all stacks share", id, namespace)
	}
	for _, task := range []string{"PlannerTask", "TrackerTask"} {
		namespace := other.Container(task).Environment["SHUFFLE_METRICS_NAMESPACE"]
		f.addIf(namespace != "GoogleShuffle/staging", "%s: its metrics go to %q", task, namespace)
	}
	return f
}

// stateful are the types with data that an update or a deletion could lose.
var stateful = []string{"AWS::SQS::Queue", "AWS::Logs::LogGroup", "AWS::SecretsManager::Secret", "AWS::ECR::Repository"}

func keeps(s *Stack) (f Findings) {
	for id, r := range s.Resources {
		if !slices.Contains(stateful, r.Type) {
			continue
		}
		deletion, replacement := text(at(s.template.Resources[id], "DeletionPolicy")), text(at(s.template.Resources[id], "UpdateReplacePolicy"))
		f.addIf(deletion == "" || replacement == "", "%s: DeletionPolicy %q, UpdateReplacePolicy %q, expected both", id, deletion, replacement)
		f.addIf(r.Type == "AWS::Logs::LogGroup" && !strings.HasPrefix(deletion, "Retain"), "%s: the logs of what failed go with the stack", id)
		f.addIf(r.Type != "AWS::SQS::Queue" && replacement != "Retain", "%s: an update that replaces it loses what it holds", id)
	}
	return f
}

// logMode: the default of an account may be non-blocking, which drops lines.
func logMode(s *Stack) (f Findings) {
	s.containers(func(id string, c any) {
		mode := text(at(c, "LogConfiguration", "Options", "mode"))
		f.addIf(mode == "", "%s: its log driver has no mode", id)
		worker := slices.Equal(texts(at(c, "Command")), []string{"work"})
		f.addIf(!worker && mode != "blocking", "%s: its log driver is %s, expected blocking", id, mode)
	})
	return f
}

// platforms: a task without a platform runs on x86, also when its image was built for another one.
func platforms(s *Stack) (f Findings) {
	s.each("AWS::ECS::TaskDefinition", func(id string, p map[string]any) {
		got, want := at(p["RuntimePlatform"], "CpuArchitecture"), s.values["Architecture"]
		f.addIf(got != want, "%s: runs on %v, and the image is for %v", id, got, want)
	})
	return f
}

// memories are the memory sizes of Fargate by CPU units, in MiB: minimum, maximum and step (ECS
// Developer Guide, "Task CPU and memory").
var memories = map[int][3]int{256: {512, 2048, 512}, 512: {1024, 4096, 1024}, 1024: {2048, 8192, 1024}, 2048: {4096, 16384, 1024}, 4096: {8192, 30720, 1024}}

// sizes tries every value that the parameters allow, except for those that the template's own rules
// refuse.
func sizes(s *Stack) (f Findings) {
	allowed := func(v any) []string {
		if name := text(at(v, "Ref")); name != "" {
			return texts(at(s.template.Parameters[name], "AllowedValues"))
		}
		return []string{text(v)}
	}
	s.each("AWS::ECS::TaskDefinition", func(id string, _ map[string]any) {
		declared := at(s.template.Resources[id], "Properties")
		for _, cpu := range allowed(at(declared, "Cpu")) {
			for _, memory := range allowed(at(declared, "Memory")) {
				if s.template.refuses(at(declared, "Cpu"), cpu, at(declared, "Memory"), memory) {
					continue
				}
				m, n := memories[number(cpu)], number(memory)
				f.addIf(n < m[0] || n > m[1] || n%max(1, m[2]) != 0, "%s: Fargate has no task of %s CPU units and %s MiB", id, cpu, memory)
			}
		}
	})
	return f
}

// refuses reports whether a rule of the template demands another memory for the CPU. It supports
// only rules of two Equals.
func (t *Template) refuses(cpuParameter any, cpu string, memoryParameter any, memory string) bool {
	for _, rule := range t.Rules {
		when := list(at(rule, "RuleCondition", "Fn::Equals"))
		demand := list(at(list(at(rule, "Assertions"))[0], "Assert", "Fn::Equals"))
		if len(when) == 2 && len(demand) == 2 && text(when[0]) == text(cpuParameter) && text(when[1]) == cpu &&
			text(demand[0]) == text(memoryParameter) && text(demand[1]) != memory {
			return true
		}
	}
	return false
}

// routes: a task that starts before its subnet has a route to the internet cannot pull its image. A
// service waits for an association whose name it uses, and the association waits for the route.
func routes(s *Stack) (f Findings) {
	s.each("AWS::ECS::Service", func(id string, p map[string]any) {
		for _, association := range s.Of("AWS::EC2::SubnetRouteTableAssociation") {
			f.addIf(!strings.Contains(text(p["Tags"]), association), "%s: does not wait for %s", id, association)
			for _, route := range s.Of("AWS::EC2::Route") {
				awaited := texts(at(s.template.Resources[association], "DependsOn"))
				f.addIf(!slices.Contains(awaited, route), "%s: does not wait for %s", association, route)
			}
		}
	})
	return f
}
