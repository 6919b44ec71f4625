package stacktest

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Account, Region and StackName are the fixed values of every Stack: LocalStack's account and the
// bucket's region.
const (
	Account   = "000000000000"
	Region    = "us-west-2"
	StackName = "google-shuffle"
)

// Stack is a template with its parameters applied and all functions evaluated.
type Stack struct {
	Resources map[string]Resource // by logical ID; without resources whose condition is false

	template *Template
	values   map[string]any
	errs     []error
}

// Resource is a resource of a stack.
type Resource struct {
	Type       string
	Properties map[string]any
}

// Resolve applies the parameters; missing ones have their defaults. AWS::StackName may be among
// them. The error names a reference without a target.
func (t *Template) Resolve(parameters map[string]string) (*Stack, error) {
	s := &Stack{Resources: map[string]Resource{}, template: t, values: map[string]any{
		"AWS::AccountId": Account, "AWS::Region": Region, "AWS::StackName": StackName, "AWS::Partition": "aws",
		"AWS::StackId": "arn:aws:cloudformation:" + Region + ":" + Account + ":stack/" + StackName + "/1a2b3c",
	}}
	if name := parameters["AWS::StackName"]; name != "" {
		s.values["AWS::StackName"] = name
	}
	for name, p := range t.Parameters {
		s.values[name] = at(p, "Default")
		if v, given := parameters[name]; given {
			s.values[name] = v
		}
		if s.values[name] == nil {
			s.fail("parameter %s has no value", name)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(t.Resources)) {
		r := t.Resources[id]
		if c := at(r, "Condition"); c != nil && !s.holds(text(c)) {
			continue
		}
		properties, _ := s.eval(at(r, "Properties")).(map[string]any)
		s.Resources[id] = Resource{text(at(r, "Type")), properties}
	}
	if len(s.errs) > 0 {
		return nil, fmt.Errorf("resolve template: %w", s.errs[0])
	}
	return s, nil
}

func split(delimited, delimiter string) []any {
	parts := []any{}
	for part := range strings.SplitSeq(delimited, delimiter) {
		parts = append(parts, part)
	}
	return parts
}

func (s *Stack) fail(format string, args ...any) {
	s.errs = append(s.errs, fmt.Errorf(format, args...))
}

// Of returns the logical IDs of a type, sorted.
func (s *Stack) Of(kind string) (ids []string) {
	for id, r := range s.Resources {
		if r.Type == kind {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// none is the value of AWS::NoValue.
type none struct{}

// eval replaces functions with their values.
func (s *Stack) eval(v any) any {
	switch v := v.(type) {
	case []any:
		out := []any{}
		for _, v := range v {
			if v = s.eval(v); v != (any)(none{}) {
				out = append(out, v)
			}
		}
		return out
	case map[string]any:
		for name, argument := range v {
			if f, ok := functions[name]; ok && len(v) == 1 {
				return f(s, argument)
			}
		}
		out := map[string]any{}
		for key, v := range v {
			if v = s.eval(v); v != (any)(none{}) {
				out[key] = v
			}
		}
		return out
	}
	return v
}

var functions map[string]func(s *Stack, argument any) any

func init() { // not a literal, because they evaluate their arguments
	functions = map[string]func(s *Stack, argument any) any{
		"Ref":        func(s *Stack, a any) any { return s.ref(text(a)) },
		"Fn::GetAtt": func(s *Stack, a any) any { return s.attribute(text(list(a)[0]), text(list(a)[1])) },
		"Fn::Sub":    func(s *Stack, a any) any { return s.sub(a) },
		"Fn::Select": func(s *Stack, a any) any { return text(list(a)[0]) + " of " + text(s.eval(list(a)[1])) },
		"Fn::Split":  func(s *Stack, a any) any { return split(text(s.eval(list(a)[1])), text(list(a)[0])) },
		"Fn::GetAZs": func(*Stack, any) any { return "zones" },
		"Fn::Equals": func(s *Stack, a any) any { return text(s.eval(list(a)[0])) == text(s.eval(list(a)[1])) },
		"Fn::Not":    func(s *Stack, a any) any { return s.eval(list(a)[0]) == false },
		"Fn::If": func(s *Stack, a any) any {
			if s.holds(text(list(a)[0])) {
				return s.eval(list(a)[1])
			}
			return s.eval(list(a)[2])
		},
	}
}

func (s *Stack) holds(condition string) bool {
	c, ok := s.template.Conditions[condition]
	if !ok {
		s.fail("there is no condition %s", condition)
	}
	return s.eval(c) == true
}

var variable = regexp.MustCompile(`\$\{([^}]+)\}`)

// sub evaluates Fn::Sub of a text, or of a list with a text and a map of more values.
func (s *Stack) sub(argument any) string {
	parts := append(list(argument), nil)
	return variable.ReplaceAllStringFunc(text(parts[0]), func(v string) string {
		name := v[2 : len(v)-1]
		if value := at(parts[1], name); value != nil {
			return text(s.eval(value))
		}
		if resource, attribute, ok := strings.Cut(name, "."); ok {
			return s.attribute(resource, attribute)
		}
		return text(s.ref(name))
	})
}

// ref evaluates Ref: the URL of a queue, the ARN of a topic, secret or policy, and the name of any
// other resource.
func (s *Stack) ref(name string) any {
	if name == "AWS::NoValue" {
		return none{}
	}
	if v, ok := s.values[name]; ok {
		return v
	}
	s.checkMade(name)
	switch kind := text(at(s.template.Resources[name], "Type")); kind {
	case "":
		s.fail("there is neither a parameter nor a resource %s", name)
		return ""
	case "AWS::SQS::Queue":
		return "https://sqs." + Region + ".amazonaws.com/" + Account + "/" + s.name(name)
	case "AWS::SNS::Topic", "AWS::SecretsManager::Secret", "AWS::ApplicationAutoScaling::ScalingPolicy", "AWS::ECS::TaskDefinition":
		return s.attribute(name, "Arn")
	default:
		return s.name(name)
	}
}

// named are the properties that contain the names of resources.
var named = []string{"QueueName", "TopicName", "ClusterName", "LogGroupName", "RepositoryName", "ServiceName", "AlarmName", "Name"}

// name is the resource's own name, or its logical ID.
func (s *Stack) name(id string) string {
	for _, property := range named {
		if v := at(s.template.Resources[id], "Properties", property); v != nil {
			return text(s.eval(v))
		}
	}
	return id
}

// arns has, by type, the part of the ARN after the partition.
var arns = map[string]string{
	"AWS::SQS::Queue": "sqs:%s:%s:%s", "AWS::SNS::Topic": "sns:%s:%s:%s", "AWS::ECS::Cluster": "ecs:%s:%s:cluster/%s",
	"AWS::Logs::LogGroup": "logs:%s:%s:log-group:%s:*", "AWS::ECR::Repository": "ecr:%s:%s:repository/%s",
	"AWS::SecretsManager::Secret": "secretsmanager:%s:%s:secret:%s-a1b2c3", "AWS::CloudWatch::Alarm": "cloudwatch:%s:%s:alarm:%s",
	"AWS::ApplicationAutoScaling::ScalingPolicy": "autoscaling:%s:%s:scalingPolicy:%s",
	"AWS::ECS::TaskDefinition":                   "ecs:%s:%s:task-definition/%s:1",
}

// checkMade refuses a reference to a resource that does not exist with these parameters.
// CloudFormation reports it only during the deployment.
func (s *Stack) checkMade(id string) {
	if c := at(s.template.Resources[id], "Condition"); c != nil && !s.holds(text(c)) {
		s.fail("%s is referred to, and is not made since the condition %s does not hold", id, c)
	}
}

func (s *Stack) attribute(id, attribute string) string {
	s.checkMade(id)
	kind := text(at(s.template.Resources[id], "Type"))
	switch {
	case kind == "":
		s.fail("there is no resource %s", id)
	case attribute == "QueueName", attribute == "Name":
		return s.name(id)
	case attribute == "RepositoryUri":
		return Account + ".dkr.ecr." + Region + ".amazonaws.com/" + s.name(id)
	case attribute == "Arn" && kind == "AWS::IAM::Role":
		return "arn:aws:iam::" + Account + ":role/" + id
	case attribute == "Arn" && kind == "AWS::ECS::TaskDefinition":
		return fmt.Sprintf("arn:aws:"+arns[kind], Region, Account, text(s.eval(at(s.template.Resources[id], "Properties", "Family"))))
	case attribute == "Arn" && arns[kind] != "":
		return fmt.Sprintf("arn:aws:"+arns[kind], Region, Account, s.name(id))
	default:
		s.fail("%s: attribute %s of %s is not known here", id, attribute, kind)
	}
	return ""
}

// Container has the parts of a task definition's only container that tests need.
type Container struct {
	Command     []string
	Environment map[string]string // without secrets
}

// Container returns the container of a task definition.
func (s *Stack) Container(task string) Container {
	c := list(s.Resources[task].Properties["ContainerDefinitions"])[0]
	environment := map[string]string{}
	for _, v := range list(at(c, "Environment")) {
		environment[text(at(v, "Name"))] = text(at(v, "Value"))
	}
	return Container{texts(at(c, "Command")), environment}
}
