package sheettest

import (
	"encoding/json"
	"fmt"
	"strings"
)

// mask is a fields parameter taken apart: "a,b(c,d),e.f" is a, b.c, b.d and e.f. A nil mask takes
// all below it.
type mask map[string]mask

// selectable are the fields that a request may name: more than the server has, none that the API
// lacks.
const selectable = "spreadsheetId,spreadsheetUrl,properties(title,locale,autoRecalc,timeZone)," +
	"sheets(merges,properties(sheetId,title,index,sheetType,hidden,gridProperties(rowCount,columnCount)))," +
	"range,majorDimension,values,valueRanges(range,majorDimension,values)"

// masked leaves only the fields asked for in body; "" and "*" ask for all. A name that the API does
// not know is an error there, and here.
func masked(body any, fields string) (any, error) {
	if fields == "" || fields == "*" {
		return body, nil
	}
	asked, rest := parseMask(fields)
	known, _ := parseMask(selectable)
	if rest != "" {
		return nil, fmt.Errorf("Invalid field selection %s", rest) //nolint:staticcheck // the API's own words
	}
	if err := asked.check(known); err != nil {
		return nil, err
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	var copied any
	if err := json.Unmarshal(raw, &copied); err != nil {
		return nil, err
	}
	return asked.cut(copied), nil
}

// parseMask reads up to the end or to a closing parenthesis, which is in rest.
func parseMask(s string) (m mask, rest string) {
	m = mask{}
	for s != "" && s[0] != ')' {
		end := strings.IndexAny(s, ",()./")
		if end < 0 {
			end = len(s)
		}
		name := s[:end]
		s = s[end:]
		var below mask
		switch {
		case strings.HasPrefix(s, "("):
			below, s = parseMask(s[1:])
			s = strings.TrimPrefix(s, ")")
		case strings.HasPrefix(s, ".") || strings.HasPrefix(s, "/"):
			below, s = parseOne(s[1:])
		}
		m[name] = m[name].and(below)
		s = strings.TrimPrefix(s, ",")
	}
	return m, s
}

// parseOne reads what is after a dot: one name, with all that hangs on it.
func parseOne(s string) (mask, string) {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth < 0 || depth == 0 && s[i] == ',' {
			m, _ := parseMask(s[:i])
			return m, s[i:]
		}
	}
	return parseMask(s)
}

func (m mask) and(other mask) mask {
	if m == nil {
		return other
	}
	for name, below := range other {
		m[name] = m[name].and(below)
	}
	return m
}

func (m mask) check(known mask) error {
	for name, below := range m {
		next, ok := known[name]
		if !ok {
			return fmt.Errorf("Invalid field selection %s", name) //nolint:staticcheck // the API's own words
		}
		if next != nil {
			if err := below.check(next); err != nil {
				return err
			}
		}
	}
	return nil
}

// cut applies the mask; to a list, element by element.
func (m mask) cut(v any) any {
	if m == nil {
		return v
	}
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = m.cut(v[i])
		}
	case object:
		for name := range v {
			if below, asked := m[name]; asked {
				v[name] = below.cut(v[name])
			} else {
				delete(v, name)
			}
		}
	}
	return v
}
