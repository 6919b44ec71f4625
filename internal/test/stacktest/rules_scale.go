package stacktest

import (
	"regexp"
	"slices"
	"strings"
)

func scaleToZero(s *Stack) (f Findings) {
	s.each("AWS::ApplicationAutoScaling::ScalableTarget", func(id string, p map[string]any) {
		f.addIf(p["MinCapacity"] != 0, "%s: its least capacity is %v", id, p["MinCapacity"])
	})
	s.each("AWS::ApplicationAutoScaling::ScalingPolicy", func(id string, p map[string]any) {
		tracking := p["TargetTrackingScalingPolicyConfiguration"]
		f.addIf(tracking != nil && at(tracking, "DisableScaleIn") != true, "%s: target tracking would end workers that have work", id)
		arn := s.attribute(id, "Arn")
		called := slices.ContainsFunc(s.Of("AWS::CloudWatch::Alarm"), func(a string) bool {
			return slices.Contains(texts(s.Resources[a].Properties["AlarmActions"]), arn)
		})
		f.addIf(tracking == nil && !called, "%s: no alarm calls it", id)
		for _, m := range list(at(tracking, "CustomizedMetricSpecification", "Metrics")) {
			f.addIf(bareDivisor.MatchString(text(at(m, "Expression"))), "%s: divides by what may be missing; FILL it", id)
		}
	})
	return f
}

var bareDivisor = regexp.MustCompile(`/\s*[a-z]`)

// protection: scaling ends some tasks of a service while others work, so each task must be able to
// protect itself while it is busy.
func protection(s *Stack) (f Findings) {
	s.each("AWS::ApplicationAutoScaling::ScalableTarget", func(id string, p map[string]any) {
		if number(p["MaxCapacity"]) <= 1 {
			return
		}
		parts := strings.Split(text(p["ResourceId"]), "/") // service, cluster, name
		s.each("AWS::ECS::Service", func(_ string, service map[string]any) {
			if service["ServiceName"] != parts[len(parts)-1] {
				return
			}
			role := logicalID(text(s.taskOf(text(service["TaskDefinition"]))["TaskRoleArn"]))
			task := "arn:aws:ecs:" + Region + ":" + Account + ":task/" + parts[1] + "/0123456789abcdef"
			r := Request{"ecs:UpdateTaskProtection", task, ""}
			f.addIf(!Allows(s.Statements(role), r), "%s: its tasks may not %s", id, r)
		})
	})
	return f
}
