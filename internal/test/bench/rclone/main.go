// Command rclone is rclone with only its S3 backend and its commands move and sync, for the
// benchmarks. The whole rclone takes minutes to build.
package main

import (
	_ "github.com/rclone/rclone/backend/s3"
	"github.com/rclone/rclone/cmd"
	_ "github.com/rclone/rclone/cmd/move"
	_ "github.com/rclone/rclone/cmd/sync"
)

func main() { cmd.Main() }
