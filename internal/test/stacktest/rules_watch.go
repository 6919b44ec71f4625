package stacktest

import (
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

func alarmsAct(s *Stack) (f Findings) {
	s.each("AWS::CloudWatch::Alarm", func(id string, p map[string]any) {
		f.addIf(len(list(p["AlarmActions"])) == 0, "%s: nobody is told", id)
		f.addIf(p["ActionsEnabled"] == false, "%s: its actions are disabled", id)
		f.addIf(p["TreatMissingData"] == nil, "%s: says nothing of missing data", id)
		f.addIf(p["AlarmDescription"] == nil, "%s: does not say what to do", id)
		period, _ := p["Period"].(int)
		periods, _ := p["EvaluationPeriods"].(int)
		f.addIf(period < 3600 && period*periods > 24*3600 || period*periods > 7*24*3600, "%s: looks back further than CloudWatch does", id)
	})
	s.each("AWS::Events::Rule", func(id string, p map[string]any) {
		f.addIf(len(list(p["Targets"])) == 0, "%s: nobody is told", id)
	})
	return f
}

// silence: missing data trigger an alarm on too little of something, and do not trigger an alarm on
// too much. Little more than a day without a successful run is too little.
func silence(s *Stack) (f Findings) {
	s.each("AWS::CloudWatch::Alarm", func(id string, p map[string]any) {
		want := "notBreaching"
		if strings.HasPrefix(text(p["ComparisonOperator"]), "Less") {
			want = "breaching"
		}
		f.addIf(p["TreatMissingData"] != want, "%s: takes missing data as %v, expected %s", id, p["TreatMissingData"], want)
		hours := number(p["Period"]) * number(p["EvaluationPeriods"]) / 3600
		f.addIf(p["MetricName"] == "RunSucceeded" && (hours <= 24 || hours > 30), "%s: waits for %d hours, expected a day and a bit", id, hours)
	})
	return f
}

// reminds: an alarm notifies only when its state changes. An alarm that went into ALARM before its
// address was confirmed is silent for ever, unless something resets it.
func reminds(s *Stack) (f Findings) {
	reset := map[string]string{}
	s.each("AWS::Scheduler::Schedule", func(_ string, p map[string]any) {
		if at(p["Target"], "Arn") == setAlarmState {
			reset[s.alarmToReset(text(at(p["Target"], "Input")))] = text(p["ScheduleExpression"])
		}
	})
	s.each("AWS::CloudWatch::Alarm", func(id string, p map[string]any) {
		if p["MetricName"] != "RunSucceeded" {
			return
		}
		f.addIf(!daily.MatchString(reset[s.attribute(id, "Arn")]), "%s: notifies once and then no more; no daily schedule resets it", id)
		f.addIf(p["OKActions"] != nil, "%s: each reset would send a mail that all is well", id)
	})
	return f
}

var daily = regexp.MustCompile(`^cron\(\d+ \d+ \* \* \? \*\)$`)

// The newest minutes of a metric come late: usually by some minutes, and by 15 for a queue that
// wakes (SQS Developer Guide, "CloudWatch metrics for Amazon SQS"). FILL fills them meanwhile.
const (
	usualDelay  = 3
	wakingDelay = 15
)

// fills: an alarm that evaluates only the newest minutes, and FILLs them, may stay in its state for
// ever (CloudWatch User Guide, "Using metric math", FILL). An alarm on too little must not be
// triggered by a few filled minutes.
func fills(s *Stack) (f Findings) {
	s.each("AWS::CloudWatch::Alarm", func(id string, p map[string]any) {
		filled := slices.ContainsFunc(list(p["Metrics"]), func(m any) bool { return strings.Contains(text(at(m, "Expression")), "FILL(") })
		if !filled {
			return
		}
		periods := number(p["EvaluationPeriods"])
		needed := cmp.Or(number(p["DatapointsToAlarm"]), periods)
		f.addIf(periods < usualDelay, "%s: FILL in an alarm over %d minutes, expected %d at least: the newest are filled before their data come", id, periods, usualDelay)
		if strings.HasPrefix(text(p["ComparisonOperator"]), "Less") {
			f.addIf(needed < periods || periods <= wakingDelay, "%s: takes %d filled minutes of %d for silence, expected all of more than %d", id, needed, periods, wakingDelay)
		}
	})
	return f
}

// identifier matches the identifiers in an expression. They are lower-case; functions are
// upper-case.
var identifier = regexp.MustCompile(`\b[a-z][A-Za-z0-9_]*\b`)

func metricMath(s *Stack) (f Findings) {
	check := func(id string, metrics any, member func(m any, key string) any) {
		var ids []string
		for _, m := range list(metrics) {
			ids = append(ids, text(member(m, "id")))
		}
		returned := 0
		for _, m := range list(metrics) {
			for _, name := range identifier.FindAllString(text(member(m, "expression")), -1) {
				f.addIf(!slices.Contains(ids, name), "%s: the expression %s names a metric that is not there, %s", id, text(member(m, "expression")), name)
			}
			if at(m, "ReturnData") != false {
				returned++
			}
		}
		f.addIf(len(ids) > 0 && returned != 1 && at(list(metrics)[0], "Id") != nil, "%s: %d metrics return data, expected one", id, returned)
	}
	inTemplate := func(m any, key string) any { return at(m, strings.ToUpper(key[:1])+key[1:]) }
	s.each("AWS::CloudWatch::Alarm", func(id string, p map[string]any) { check(id, p["Metrics"], inTemplate) })
	s.each("AWS::ApplicationAutoScaling::ScalingPolicy", func(id string, p map[string]any) {
		check(id, at(p, "TargetTrackingScalingPolicyConfiguration", "CustomizedMetricSpecification", "Metrics"), inTemplate)
	})
	s.each("AWS::CloudWatch::Dashboard", func(id string, p map[string]any) {
		for _, w := range widgets(text(p["DashboardBody"])) {
			check(id, at(w, "properties", "metrics"), func(m any, key string) any {
				// The last element of a metric is an object with its display options.
				options := list(m)
				return at(options[len(options)-1], key)
			})
		}
	})
	return f
}

func widgets(body string) []any {
	var dashboard map[string]any
	if json.Unmarshal([]byte(body), &dashboard) != nil {
		return nil
	}
	return list(dashboard["widgets"])
}

func dashboards(s *Stack) (f Findings) {
	f.addIf(len(s.Of("AWS::CloudWatch::Dashboard")) == 0, "there is no dashboard")
	s.each("AWS::CloudWatch::Dashboard", func(id string, p map[string]any) {
		body := text(p["DashboardBody"])
		f.addIf(!isJSON(body), "%s: its body is not JSON", id)
		f.addIf(len(widgets(body)) == 0, "%s: it has no widgets", id)
		for _, w := range widgets(body) {
			for _, alarm := range texts(at(w, "properties", "alarms")) {
				f.addIf(!s.has("AWS::CloudWatch::Alarm", alarm), "%s: shows an alarm that is not there, %s", id, alarm)
			}
		}
	})
	return f
}

func isJSON(s string) bool { return json.Valid([]byte(s)) }

func scheduleRights(s *Stack) (f Findings) {
	s.each("AWS::Scheduler::Schedule", func(id string, p map[string]any) {
		target := p["Target"]
		policy := s.Statements(logicalID(text(at(target, "RoleArn"))))
		needed := []Request{{"sqs:SendMessage", text(at(target, "DeadLetterConfig", "Arn")), ""}}
		if definition := text(at(target, "EcsParameters", "TaskDefinitionArn")); definition != "" {
			task := s.taskOf(definition)
			needed = append(needed, Request{"ecs:RunTask", definition, text(at(target, "Arn"))},
				Request{"iam:PassRole", text(task["TaskRoleArn"]), ""}, Request{"iam:PassRole", text(task["ExecutionRoleArn"]), ""})
		} else {
			f.addIf(text(at(target, "Arn")) != setAlarmState, "%s: starts %v, expected a task or %s", id, at(target, "Arn"), setAlarmState)
			needed = append(needed, Request{"cloudwatch:SetAlarmState", s.alarmToReset(text(at(target, "Input"))), ""})
		}
		for _, r := range needed {
			f.addIf(!Allows(policy, r), "%s: its role may not %s", id, r)
		}
		f.addIf(!s.has("AWS::SQS::Queue", text(at(target, "DeadLetterConfig", "Arn"))), "%s: no queue for what could not be started", id)
		f.addIf(at(target, "RetryPolicy") == nil, "%s: does not try again", id)
	})
	return f
}

// setAlarmState is the target of EventBridge Scheduler for that call of CloudWatch.
const setAlarmState = "arn:aws:scheduler:::aws-sdk:cloudwatch:setAlarmState"

// alarmToReset is the ARN of the alarm in the input of setAlarmState; "" when the stack has no such
// alarm.
func (s *Stack) alarmToReset(input string) (arn string) {
	var call struct{ AlarmName, StateValue, StateReason string }
	if json.Unmarshal([]byte(input), &call) != nil || call.StateValue != "OK" || call.StateReason == "" {
		return ""
	}
	for _, id := range s.Of("AWS::CloudWatch::Alarm") {
		if s.Resources[id].Properties["AlarmName"] == call.AlarmName {
			arn = s.attribute(id, "Arn")
		}
	}
	return arn
}

// taskOf returns the properties of the task definition with that ARN.
func (s *Stack) taskOf(arn string) map[string]any {
	for _, id := range s.Of("AWS::ECS::TaskDefinition") {
		if s.attribute(id, "Arn") == arn {
			return s.Resources[id].Properties
		}
	}
	return nil
}

// logicalID is the logical ID of a role, which is part of its ARN here.
func logicalID(roleARN string) string {
	_, id, _ := strings.Cut(roleARN, ":role/")
	return id
}

// has reports whether the stack has a resource of the type with that ARN.
func (s *Stack) has(kind, arn string) bool {
	return slices.ContainsFunc(s.Of(kind), func(id string) bool { return s.attribute(id, "Arn") == arn })
}

var (
	rate = regexp.MustCompile(`^rate\(([1-9]\d*) (minute|hour|day)s?\)$`)
	cron = regexp.MustCompile(`^cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)$`)
	// field matches one field of a cron expression: numbers or names with lists, ranges and steps,
	// and the few signs of days.
	field = regexp.MustCompile(`^([0-9]+|[A-Z]{3}|\*|\?|L|[0-9]+[WL#]?[0-9]?)([-/,]([0-9]+|[A-Z]{3}))*$`)
)

func scheduleExpression(s *Stack) (f Findings) {
	s.each("AWS::Scheduler::Schedule", func(id string, p map[string]any) {
		expression := text(p["ScheduleExpression"])
		if rate.MatchString(expression) {
			return
		}
		fields := cron.FindStringSubmatch(expression)
		if fields == nil {
			f.addIf(true, "%s: %q is neither rate(…) nor cron(…) with six fields", id, expression)
			return
		}
		for _, part := range fields[1:] {
			f.addIf(!field.MatchString(part), "%s: %q: field %q", id, expression, part)
		}
		f.addIf((fields[3] == "?") == (fields[5] == "?"), "%s: %q: one of day of month and day of week is to be ?", id, expression)
	})
	return f
}
