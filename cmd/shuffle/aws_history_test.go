package main

import (
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/test/sheettest"
	"github.com/angel-nft/google-shuffle/internal/test/testenv"
)

// The history of TestHistory, with S3 and SQS of a LocalStack and a Sheets API.
func TestHistoryOverTheWire(t *testing.T) {
	endpoint := testenv.AWSEndpoint(t)
	id := fmt.Sprint(time.Now().UnixNano())
	sheets := filepath.Join(t.TempDir(), "sheets")
	api := httptest.NewServer(sheettest.FromFolder(sheets))
	defer api.Close()
	t.Setenv("AWS_ENDPOINT_URL", endpoint)
	t.Setenv("AWS_REGION", "us-west-2")
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	name := "media.angel-nft-" + id
	newHistory(t, "s3://"+name, sheets, season.Options{Episodes: 2, Frames: 120, Bucket: name},
		"SHUFFLE_BUCKET=s3://"+name, "SHUFFLE_SHEETS_ENDPOINT="+api.URL, "SHUFFLE_CONCURRENCY=32",
		"SHUFFLE_TASKS_QUEUE=tasks-"+id, "SHUFFLE_RESULTS_QUEUE=results-"+id, "SHUFFLE_DEAD_LETTER_QUEUE=dead-"+id,
	).passes()
}
