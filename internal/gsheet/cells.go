package gsheet

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"google.golang.org/api/googleapi"

	"github.com/angel-nft/google-shuffle/internal/sheet"
)

// valueRange is an answer of spreadsheets.values.get.
type valueRange struct {
	cells     string // the range
	dimension string
	rows      [][]string // nil for a row that is null
}

// cells requests the cells of a range and decodes the answer row by row. That takes 3 MB for the
// 28,800 rows of an episode. The client of package sheets takes 11 MB, for the whole text and for a
// value of every cell.
func (s *Sheets) cells(ctx context.Context, id, cells string) (*valueRange, error) {
	query := url.Values{"alt": {"json"}, "prettyPrint": {"false"}, "majorDimension": {"ROWS"}, "valueRenderOption": {"FORMATTED_VALUE"}}
	address := googleapi.ResolveRelative(s.api.BasePath, "v4/spreadsheets/{spreadsheetId}/values/{range}") + "?" + query.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	googleapi.Expand(r.URL, map[string]string{"spreadsheetId": id, "range": cells})
	r.Header.Set("User-Agent", googleapi.UserAgent)
	answer, err := s.client.Do(r) //nolint:bodyclose // CloseBody closes it.
	if err != nil {
		return nil, cmp.Or(ctx.Err(), err)
	}
	defer googleapi.CloseBody(answer)
	if err := googleapi.CheckResponse(answer); err != nil {
		return nil, err
	}
	return decodeCells(answer.Body)
}

// decodeCells returns nil for null, like a JSON decoder.
func decodeCells(body io.Reader) (*valueRange, error) {
	in := json.NewDecoder(body)
	var v *valueRange
	begins, err := open(in, '{')
	if begins {
		v = &valueRange{}
	}
	for err == nil && begins && in.More() {
		var name json.Token
		if name, err = in.Token(); err != nil {
			break
		}
		switch name {
		case "range":
			err = in.Decode(&v.cells)
		case "majorDimension":
			err = in.Decode(&v.dimension)
		case "values":
			v.rows, err = decodeRows(in)
		default:
			var other json.RawMessage
			err = in.Decode(&other)
		}
	}
	if err == nil && begins {
		_, err = in.Token() // the end of the object
	}
	if err == nil {
		if token, after := in.Token(); after == nil {
			err = fmt.Errorf("%w: expected the end, found %.40v", sheet.ErrAnswer, token)
		} else if !errors.Is(after, io.EOF) {
			err = after
		}
	}
	return v, err
}

func decodeRows(in *json.Decoder) (rows [][]string, err error) {
	begins, err := open(in, '[')
	for err == nil && begins && in.More() {
		var cells []any
		if err = in.Decode(&cells); err == nil {
			rows = append(rows, texts(cells))
		}
	}
	if err == nil && begins {
		_, err = in.Token() // the end of the list
	}
	return rows, err
}

// open reads the first token of an object or a list. It returns false for null.
func open(in *json.Decoder, first json.Delim) (bool, error) {
	token, err := in.Token()
	if err != nil || token == nil {
		return false, err
	}
	if token != first {
		return false, fmt.Errorf("%w: expected %v, found %.40v", sheet.ErrAnswer, first, token)
	}
	return true, nil
}

// texts converts the cells of a row to text, without trailing empty ones.
func texts(cells []any) []string {
	if cells == nil {
		return nil
	}
	row, length := make([]string, len(cells)), 0
	for i, cell := range cells {
		if row[i] = text(cell); row[i] != "" {
			length = i + 1
		}
	}
	return row[:length]
}

// trim leaves out trailing empty rows.
func trim(rows [][]string) [][]string {
	last := len(rows)
	for last > 0 && len(rows[last-1]) == 0 {
		last--
	}
	return rows[:last]
}

// text returns a cell as Sheets shows it, even when the answer has a JSON number or bool.
func text(cell any) string {
	switch cell := cell.(type) {
	case nil:
		return ""
	case string:
		return cell
	case float64:
		return strconv.FormatFloat(cell, 'f', -1, 64)
	case bool:
		return strings.ToUpper(strconv.FormatBool(cell))
	}
	return fmt.Sprint(cell)
}
