package stacktest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Statement is a statement of a policy.
type Statement struct {
	Sid        string
	Effect     string
	Actions    []string
	Resources  []string
	Conditions map[string]any // operator → key → values
}

// Request is one permission that a call needs.
type Request struct {
	Action   string
	Resource string
	// The one condition key that calls here have: s3:prefix of a listing, or ecs:cluster; "" is
	// none.
	Context string
}

func (r Request) String() string {
	if r.Context == "" {
		return r.Action + " on " + r.Resource
	}
	return r.Action + " on " + r.Resource + " with " + r.Context
}

// Statements returns the statements of a role's policies, or of a managed policy.
func (s *Stack) Statements(role string) (all []Statement) {
	for _, policy := range list(at(s.Resources[role].Properties, "Policies")) {
		all = append(all, statements(at(policy, "PolicyDocument"))...)
	}
	return append(all, statements(s.Resources[role].Properties["PolicyDocument"])...)
}

// ParsePolicy parses a policy in the form in which IAM returns it.
func ParsePolicy(body []byte) ([]Statement, error) {
	var document map[string]any
	if err := json.Unmarshal(body, &document); err != nil {
		return nil, fmt.Errorf("parse policy: %w", err)
	}
	return statements(document), nil
}

func statements(document any) (all []Statement) {
	for _, v := range list(at(document, "Statement")) {
		conditions, _ := at(v, "Condition").(map[string]any)
		all = append(all, Statement{
			Sid: text(at(v, "Sid")), Effect: text(at(v, "Effect")),
			Actions: texts(at(v, "Action")), Resources: texts(at(v, "Resource")), Conditions: conditions,
		})
	}
	return all
}

// Allows evaluates a request like IAM (IAM User Guide, "policy evaluation logic", for one account
// and identity-based policies). A matching Deny wins; without one, an Allow is needed.
func Allows(policy []Statement, r Request) bool {
	allowed := false
	for _, s := range policy {
		if !s.Matches(r) {
			continue
		}
		if s.Effect != "Allow" {
			return false
		}
		allowed = true
	}
	return allowed
}

// Matches reports whether the statement applies to the request.
func (s Statement) Matches(r Request) bool {
	return slices.ContainsFunc(s.Actions, func(p string) bool { return like(strings.ToLower(p), strings.ToLower(r.Action)) }) &&
		slices.ContainsFunc(s.Resources, func(p string) bool { return like(p, r.Resource) }) && s.conditionsHold(r)
}

func (s Statement) conditionsHold(r Request) bool {
	for operator, keys := range s.Conditions {
		for key, values := range keys.(map[string]any) {
			if !holds(operator, texts(values), r.value(key)) {
				return false
			}
		}
	}
	return true
}

// value is the value of a condition key in the request; "" when it has none.
func (r Request) value(key string) string {
	switch {
	case key == "iam:PassedToService":
		return "ecs-tasks.amazonaws.com"
	case key == "s3:prefix" && r.Action == "s3:ListBucket", key == "ecs:cluster":
		return r.Context
	}
	return ""
}

// holds reports whether a condition is true. It panics at an unknown operator, so that such a
// condition is never treated as true.
func holds(operator string, patterns []string, value string) bool {
	base, ifExists := strings.CutSuffix(operator, "IfExists")
	if value == "" {
		return ifExists
	}
	switch base {
	case "StringEquals":
		return slices.Contains(patterns, value)
	case "StringLike", "ArnEquals":
		return slices.ContainsFunc(patterns, func(p string) bool { return like(p, value) })
	}
	panic(fmt.Sprintf("condition operator %s is not known here", operator))
}

// like reports whether s matches a pattern of IAM: * is any text, ? is one character.
func like(pattern, s string) bool {
	quoted := regexp.QuoteMeta(pattern)
	quoted = strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(quoted)
	return regexp.MustCompile("^(?s:" + quoted + ")$").MatchString(s)
}
