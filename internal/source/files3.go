package source

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"gocloud.dev/blob"
	"gocloud.dev/blob/s3blob"

	"sluice/internal/crm"
)

// s3Settings are for buckets of Amazon S3 and of what speaks like it.
var s3Settings = []Setting{
	{Name: "access_key", Help: "id of the access key"},
	{Name: "secret_key", Help: "the access key's secret", Secret: true},
	{Name: "session_token", Help: "token of an access key that runs out", Secret: true},
	{Name: "region", Help: "region of the bucket, such as eu-west-1"},
	{Name: "endpoint", Help: "address of a service other than Amazon's", Check: checkAddress},
	{Name: "path_style", Help: "true if the bucket is named in the path and not in the host; so it is at an endpoint, unless false", Check: checkBool},
	{Name: "anonymous", Help: "true for a bucket that everybody may read", Check: checkBool},
}

func checkBool(value string) error {
	if value != "true" && value != "false" {
		return fmt.Errorf("%w: it is true or false", crm.ErrInvalid)
	}
	return nil
}

var _ = registerBucket("s3", bucketKind{settings: s3Settings, open: openS3, code: s3Code,
	version: func(a *blob.Attributes) string { return a.ETag },
	read: func(r *blob.Reader, from int64) string {
		var out s3.GetObjectOutput
		if !r.As(&out) || from > 0 && !strings.HasPrefix(aws.ToString(out.ContentRange), fmt.Sprintf("bytes %d-", from)) {
			return ""
		}
		return aws.ToString(out.ETag)
	},
	pin: func(as func(any) bool, version string) {
		var in *s3.GetObjectInput
		if as(&in) && version != "" {
			in.IfMatch = aws.String(version)
		}
	}})

// defaultRegion is signed for where nobody says which region it is: services
// other than Amazon's mostly take any.
const defaultRegion = "us-east-1"

func openS3(ctx context.Context, name string, w Way) (*blob.Bucket, error) {
	cfg, err := s3Config(ctx, w)
	if err != nil {
		return nil, err
	}
	if region := w.Settings["region"]; region != "" {
		cfg.Region = region
	}
	if cfg.Region == "" {
		cfg.Region = defaultRegion
	}
	// Credentials of the environment may come from an address that only this
	// machine may reach. They have their own client; objects go this way.
	cfg.HTTPClient = roundTrip(w.HTTP)
	cfg.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) {
			o.Retryables = slices.Insert(o.Retryables, 0, retry.IsErrorRetryable(retry.IsErrorRetryableFunc(neverRefused)))
		})
	}
	return s3blob.OpenBucket(ctx, s3.NewFromConfig(cfg, func(o *s3.Options) {
		if endpoint := w.Settings["endpoint"]; endpoint != "" {
			o.BaseEndpoint = aws.String(endpoint)
			o.UsePathStyle = w.Settings["path_style"] != "false"
		} else if w.Settings["path_style"] == "true" {
			o.UsePathStyle = true
		}
		// Services other than Amazon's have none, or others.
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
		o.DisableLogOutputChecksumValidationSkipped = true
	}), name, nil)
}

// neverRefused has an address that may not be reached not be tried again.
func neverRefused(err error) aws.Ternary {
	if errors.Is(err, crm.ErrInvalid) {
		return aws.FalseTernary
	}
	return aws.UnknownTernary
}

func s3Config(ctx context.Context, w Way) (aws.Config, error) {
	set := w.Settings
	switch {
	case set["anonymous"] == "true":
		return aws.Config{Credentials: aws.AnonymousCredentials{}}, nil
	case set["access_key"] != "" && set["secret_key"] != "":
		return aws.Config{Credentials: credentials.NewStaticCredentialsProvider(set["access_key"], set["secret_key"], set["session_token"])}, nil
	case !w.Environment:
		return aws.Config{}, fmt.Errorf("%w: there are no credentials; set access_key and secret_key, or anonymous for a bucket that everybody may read", crm.ErrDenied)
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return aws.Config{}, fmt.Errorf("%w: the environment's configuration of AWS cannot be read", crm.ErrInvalid)
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil && ctx.Err() == nil {
		return aws.Config{}, fmt.Errorf("%w: neither the settings nor the environment have credentials for S3", crm.ErrDenied)
	}
	return cfg, nil
}

func s3Code(err error) (code string, status int) {
	var api smithy.APIError
	if errors.As(err, &api) {
		code = api.ErrorCode()
	}
	var res *awshttp.ResponseError
	if errors.As(err, &res) {
		status = res.HTTPStatusCode()
	}
	return code, status
}
