package stacktest

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
)

// Alarm is a CloudWatch alarm over metrics of one minute each.
type Alarm struct {
	periods, needed int // minutes that it evaluates, and how many of them must breach
	threshold       float64
	less            bool // breaches at or below the threshold, else at or above it
	missingBreaches bool
	value           datapoint
}

// datapoint returns the value of an expression in a minute, from the visible metrics, and whether
// there is a value.
type datapoint func(seen func(metric string) (float64, bool)) (float64, bool)

// extraMinutes is the number of minutes before its periods in which an alarm also searches for data
// (CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing data"; the number is not
// documented).
const extraMinutes = 3

// Alarm reads an alarm of the template. A metric's name is its queue or service and the quantity,
// such as "tasks ApproximateNumberOfMessagesVisible".
func (s *Stack) Alarm(id string) (Alarm, error) {
	p := s.Resources[id].Properties
	a := Alarm{
		periods: number(p["EvaluationPeriods"]), threshold: float64(number(p["Threshold"])),
		less: strings.HasPrefix(text(p["ComparisonOperator"]), "Less"), missingBreaches: p["TreatMissingData"] == "breaching",
	}
	a.needed = cmp.Or(number(p["DatapointsToAlarm"]), a.periods)
	names := map[string]string{}
	var expression string
	for _, m := range list(p["Metrics"]) {
		if e := text(at(m, "Expression")); e != "" {
			expression = e
			continue
		}
		metric := at(m, "MetricStat", "Metric")
		dimensions := list(at(metric, "Dimensions"))
		of := strings.TrimPrefix(text(at(dimensions[len(dimensions)-1], "Value")), text(s.values["AWS::StackName"])+"-")
		names[text(at(m, "Id"))] = of + " " + text(at(metric, "MetricName"))
	}
	parsed, err := parser.ParseExpr(expression)
	if err != nil {
		return Alarm{}, fmt.Errorf("%s: expression %q: %w", id, expression, err)
	}
	a.value, err = compile(parsed, names)
	if err != nil {
		return Alarm{}, fmt.Errorf("%s: expression %q: %w", id, expression, err)
	}
	return a, nil
}

// isBreaching evaluates the alarm at the end of a minute. It uses the newest existing data. Minutes
// without data are treated as the template specifies for missing data.
func (a Alarm) isBreaching(now int, seen func(metric string, minute int) (float64, bool)) bool {
	found, breaching := 0, 0
	for minute := now; minute > now-a.periods-extraMinutes && found < a.periods; minute-- {
		value, ok := a.value(func(metric string) (float64, bool) { return seen(metric, minute) })
		if !ok {
			continue
		}
		found++
		if a.less && value <= a.threshold || !a.less && value >= a.threshold {
			breaching++
		}
	}
	if a.missingBreaches {
		breaching += a.periods - found
	}
	return breaching >= a.needed
}

// compile supports the parts of the template's expressions: numbers, metrics, + - * / >, FILL and
// IF.
func compile(e ast.Expr, names map[string]string) (datapoint, error) {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return compile(e.X, names)
	case *ast.BasicLit:
		n, err := strconv.ParseFloat(e.Value, 64)
		return func(func(string) (float64, bool)) (float64, bool) { return n, true }, err
	case *ast.Ident:
		name, ok := names[e.Name]
		if !ok {
			return nil, fmt.Errorf("there is no metric %s", e.Name)
		}
		return func(seen func(string) (float64, bool)) (float64, bool) { return seen(name) }, nil
	case *ast.BinaryExpr:
		return compileBinary(e, names)
	case *ast.CallExpr:
		return compileCall(e, names)
	}
	return nil, fmt.Errorf("%T is not known here", e)
}

func compileBinary(e *ast.BinaryExpr, names map[string]string) (datapoint, error) {
	operation := map[token.Token]func(a, b float64) float64{
		token.ADD: func(a, b float64) float64 { return a + b }, token.SUB: func(a, b float64) float64 { return a - b },
		token.MUL: func(a, b float64) float64 { return a * b }, token.QUO: func(a, b float64) float64 { return a / b },
		token.GTR: func(a, b float64) float64 {
			if a > b {
				return 1
			}
			return 0
		},
	}[e.Op]
	if operation == nil {
		return nil, fmt.Errorf("the operator %s is not known here", e.Op)
	}
	x, err := compile(e.X, names)
	if err != nil {
		return nil, err
	}
	y, err := compile(e.Y, names)
	if err != nil {
		return nil, err
	}
	return func(seen func(string) (float64, bool)) (float64, bool) {
		a, there := x(seen)
		b, too := y(seen)
		return operation(a, b), there && too
	}, nil
}

func compileCall(e *ast.CallExpr, names map[string]string) (datapoint, error) {
	arguments := make([]datapoint, len(e.Args))
	for i, argument := range e.Args {
		var err error
		if arguments[i], err = compile(argument, names); err != nil {
			return nil, err
		}
	}
	switch name, _ := e.Fun.(*ast.Ident); {
	case name != nil && name.Name == "FILL" && len(arguments) == 2:
		return func(seen func(string) (float64, bool)) (float64, bool) {
			if value, ok := arguments[0](seen); ok {
				return value, true
			}
			return arguments[1](seen)
		}, nil
	case name != nil && name.Name == "IF" && len(arguments) == 3:
		return func(seen func(string) (float64, bool)) (float64, bool) {
			condition, ok := arguments[0](seen)
			switch {
			case !ok:
				return 0, false
			case condition != 0:
				return arguments[1](seen)
			}
			return arguments[2](seen)
		}, nil
	}
	return nil, fmt.Errorf("the function of %d arguments is not known here", len(arguments))
}
