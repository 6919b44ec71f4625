package gsheet

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/sheet"
)

func TestDecodeCells(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, body string
		want       *valueRange
		kind       error
	}{
		{"null", `null`, nil, nil},
		{"no members", `{}`, &valueRange{}, nil},
		{"null members", `{"range":null,"values":null}`, &valueRange{}, nil},
		{"no rows", `{"range":"A!A1","majorDimension":"ROWS","values":[]}`, &valueRange{cells: "A!A1", dimension: "ROWS"}, nil},
		{"rows", `{"values":[["a","",1.5,true,null],[],null,["","b",""]],"more":{"x":[1]},"range":"A!A1:E4"} `,
			&valueRange{cells: "A!A1:E4", rows: [][]string{{"a", "", "1.5", "TRUE"}, {}, nil, {"", "b"}}}, nil},
		{"a list", `[]`, nil, sheet.ErrAnswer},
		{"values are an object", `{"values":{}}`, nil, sheet.ErrAnswer},
		{"a row is an object", `{"values":[{}]}`, nil, sheet.ErrAnswer},
		{"range is a number", `{"range":1}`, nil, sheet.ErrAnswer},
		{"a web page", `<html>`, nil, sheet.ErrAnswer},
		{"two values", `{} {}`, nil, sheet.ErrAnswer},
		{"text after it", `{}]`, nil, sheet.ErrAnswer},
		{"nothing", ``, nil, sheet.ErrUnavailable},
		{"breaks off", `{"values":[["a"`, nil, sheet.ErrUnavailable},
		{"breaks off between rows", `{"values":[["a"],`, nil, sheet.ErrUnavailable},
		{"breaks off after the rows", `{"values":[["a"]]`, nil, sheet.ErrUnavailable},
	} {
		got, err := decodeCells(strings.NewReader(test.body))
		switch {
		case test.kind == nil && err != nil, test.kind != nil && (err == nil || !errors.Is(kindOf(err), test.kind)):
			t.Errorf("%s: error %v, expected kind %v", test.name, err, test.kind)
		case err == nil && !cmp.Equal(test.want, got, cmp.AllowUnexported(valueRange{})):
			t.Errorf("%s: %s", test.name, cmp.Diff(test.want, got, cmp.AllowUnexported(valueRange{})))
		}
	}
}
