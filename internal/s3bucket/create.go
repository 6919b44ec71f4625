package s3bucket

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Create creates the bucket in the region if the account does not have it. The bucket is private,
// which is S3's default.
func Create(ctx context.Context, client *s3.Client, name, region string) error {
	in := &s3.CreateBucketInput{Bucket: &name}
	if region != "us-east-1" { // the one region that S3 wants unnamed (API, CreateBucket)
		in.CreateBucketConfiguration = &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(region)}
	}
	_, err := client.CreateBucket(ctx, in)
	if _, ours := errors.AsType[*types.BucketAlreadyOwnedByYou](err); err == nil || ours {
		return nil
	}
	return fmt.Errorf("create bucket %s in %s: %w", name, region, err)
}
