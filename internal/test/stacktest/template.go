// Package stacktest reads deploy/stack.yaml for tests: its rules, its policies, its scaling.
package stacktest

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Template is a CloudFormation template before parameters are applied. Functions of the short form
// (!Ref, !Sub …) are in their long form, as maps with one key.
type Template struct {
	Parameters map[string]any
	Rules      map[string]any
	Conditions map[string]any
	Resources  map[string]any
	Size       int // bytes of its text
}

// Parse parses a template. It refuses the YAML that CloudFormation refuses: anchors and aliases.
func Parse(text []byte) (*Template, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return nil, fmt.Errorf("parse template: %w", err)
	}
	if len(root.Content) != 1 {
		return nil, errors.New("parse template: expected one document")
	}
	value, err := plain(root.Content[0])
	if err != nil {
		return nil, fmt.Errorf("parse template: %w", err)
	}
	section := func(name string) map[string]any {
		m, _ := at(value, name).(map[string]any)
		return m
	}
	return &Template{section("Parameters"), section("Rules"), section("Conditions"), section("Resources"), len(text)}, nil
}

// plain converts a node to maps, lists and scalars.
func plain(n *yaml.Node) (any, error) {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		return nil, fmt.Errorf("line %d: an anchor or alias, which CloudFormation refuses", n.Line)
	}
	value, err := content(n)
	if err != nil || !strings.HasPrefix(n.Tag, "!") || strings.HasPrefix(n.Tag, "!!") {
		return value, err
	}
	switch name := n.Tag[1:]; name {
	case "Ref", "Condition":
		return map[string]any{name: value}, nil
	case "GetAtt":
		resource, attribute, _ := strings.Cut(fmt.Sprint(value), ".")
		return map[string]any{"Fn::GetAtt": []any{resource, attribute}}, nil
	default:
		return map[string]any{"Fn::" + name: value}, nil
	}
}

func content(n *yaml.Node) (any, error) {
	switch n.Kind {
	case yaml.MappingNode:
		return mapping(n)
	case yaml.SequenceNode:
		list := []any{}
		for _, child := range n.Content {
			v, err := plain(child)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	}
	if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
		return n.Value, nil
	}
	var v any
	err := n.Decode(&v)
	return v, err
}

func mapping(n *yaml.Node) (any, error) {
	m := map[string]any{}
	for i := 0; i < len(n.Content); i += 2 {
		key := n.Content[i].Value
		if _, twice := m[key]; twice {
			return nil, fmt.Errorf("line %d: %s stands twice", n.Content[i].Line, key)
		}
		v, err := plain(n.Content[i+1])
		if err != nil {
			return nil, err
		}
		m[key] = v
	}
	return m, nil
}

// at follows keys into maps. It returns nil when a key is missing.
func at(v any, path ...string) any {
	for _, key := range path {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return v
}

// list treats a single value as a list with one element, as policies do.
func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

// texts is list for strings.
func texts(v any) (all []string) {
	for _, v := range list(v) {
		all = append(all, fmt.Sprint(v))
	}
	return all
}

func text(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}
