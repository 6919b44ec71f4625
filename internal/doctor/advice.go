package doctor

import (
	"errors"
	"io/fs"
	"net"
	"slices"
	"strings"
	"syscall"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/sheet"
)

// symptoms are the facts of an error that choose the advice.
type symptoms struct {
	err    error
	code   string // AWS's error code
	status int    // of the HTTP answer, 0 without one
	text   string
}

func symptomsOf(err error) symptoms {
	s := symptoms{err: err, text: err.Error()}
	var coded interface{ ErrorCode() string } // smithy.APIError
	if errors.As(err, &coded) {
		s.code = coded.ErrorCode()
	}
	if e, ok := errors.AsType[*bucket.Error](err); ok {
		s.status = e.Status
		if s.code == "" {
			s.code = e.Code
		}
	}
	return s
}

func (s symptoms) is(targets ...error) bool {
	for _, target := range targets {
		if errors.Is(s.err, target) {
			return true
		}
	}
	return false
}

func (s symptoms) coded(codes ...string) bool {
	for _, code := range codes {
		if s.code == code || s.code == code+"Exception" {
			return true
		}
	}
	return false
}

// says searches for texts of libraries that have no type or code for a cause.
func (s symptoms) says(texts ...string) bool {
	for _, text := range texts {
		if strings.Contains(s.text, text) {
			return true
		}
	}
	return false
}

// cause is one reason of failures, and what a person can do about it.
type cause struct {
	holds  func(s symptoms) bool
	advice string
}

// causes are tried in order, and the first match counts. More specific ones are first.
var causes = slices.Concat(sheetCauses, loginCauses, otherCauses)

// sheetCauses are the causes for reading the sheets.
var sheetCauses = []cause{
	{func(s symptoms) bool { return s.says("could not find default credentials") },
		"name the service account's JSON file in GOOGLE_DRIVE_CREDENTIALS_FILE, or keep everything in a folder: --local DIR (SHUFFLE_LOCAL)"},
	{func(s symptoms) bool { return s.is(sheet.ErrOfficeFile) },
		"open the file in Google Drive, choose File, Save as Google Sheets, and put the new address in the manifest"},
	{func(s symptoms) bool { return s.is(sheet.ErrAPIDisabled) },
		"switch the Google Sheets API on in the project of the account that reads the sheets: https://console.cloud.google.com/apis/library/sheets.googleapis.com"},
	{func(s symptoms) bool { return s.is(sheet.ErrScope) },
		"use the service account's JSON (GOOGLE_DRIVE_CREDENTIALS_FILE), or log in with the scope: gcloud auth application-default login " +
			"--scopes=https://www.googleapis.com/auth/spreadsheets.readonly,https://www.googleapis.com/auth/cloud-platform"},
	{func(s symptoms) bool { return s.is(sheet.ErrCredentials) },
		"create a new JSON key of the service account, name it in GOOGLE_DRIVE_CREDENTIALS_FILE, and check this machine's clock"},
}

// loginCauses are the causes in the login for AWS and in the machine's clock. They make every
// request fail in the same way.
var loginCauses = []cause{
	{func(s symptoms) bool { return s.says("failed to get shared config profile") },
		"check the name in AWS_PROFILE: aws configure list-profiles shows those of ~/.aws"},
	{func(s symptoms) bool {
		return s.coded("RequestTimeTooSkewed") || s.says("Signature expired", "Signature not yet current")
	}, "set this machine's clock: AWS refuses requests whose time differs by more than some minutes"},
	{func(s symptoms) bool {
		return s.coded("ExpiredToken", "RequestExpired", "TokenRefreshRequired") ||
			s.says("SSO token", "SSO session", "InvalidGrantException", "UnauthorizedException: Session token not found or invalid")
	}, "the login has expired: log in again (aws sso login), or set new temporary keys with their AWS_SESSION_TOKEN"},
	{func(s symptoms) bool {
		return s.coded("InvalidAccessKeyId", "UnrecognizedClient", "InvalidClientTokenId", "InvalidToken", "AuthFailure")
	}, "AWS does not know this key: check AWS_ACCESS_KEY_ID, or AWS_PROFILE; temporary keys need their AWS_SESSION_TOKEN too"},
	{func(s symptoms) bool { return s.coded("SignatureDoesNotMatch", "InvalidSignature") },
		"the secret does not belong to the key: check AWS_SECRET_ACCESS_KEY for missing or added characters, or AWS_PROFILE"},
	{func(s symptoms) bool { return s.says("operation error STS: AssumeRole") },
		"the role of AWS_PROFILE or AWS_ROLE_ARN may not be assumed: check its name, its trust policy, and the login that assumes it"},
	{func(s symptoms) bool { return s.says("no EC2 IMDS role found", "static credentials are empty") },
		"no login for AWS was found: set AWS_PROFILE, or log in (aws sso login), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; " +
			"without an account keep everything in a folder: --local DIR (SHUFFLE_LOCAL)"},
	{func(s symptoms) bool { return s.says("get credentials: ") },
		"the login for AWS does not work: check AWS_PROFILE and what ~/.aws says of it, or log in again (aws sso login)"},
}

var otherCauses = []cause{
	{func(s symptoms) bool {
		return s.coded("PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraint") || s.status == 301
	}, "the bucket is in another region: set AWS_REGION to the bucket's, and AWS_ENDPOINT_URL, if it is set, to an address there"},
	{func(s symptoms) bool { return s.coded("NotImplemented", "MethodNotAllowed") || s.status == 501 },
		"the store at this address does not implement the request; the program needs all of conditional writes (If-None-Match, If-Match), " +
			"CopyObject and DeleteObjects: use S3, or a store that has them"},
	{func(s symptoms) bool { return s.coded("NoSuchBucket") },
		"check the name in --bucket (SHUFFLE_BUCKET) and the account (AWS_PROFILE); for development shuffle setup --create-bucket creates it"},
	{func(s symptoms) bool { return s.is(queue.ErrNotFound) },
		"check the queue's name, AWS_REGION and the account (AWS_PROFILE); shuffle setup creates the queues"},
	{func(s symptoms) bool {
		return strings.HasPrefix(s.code, "KMS") || strings.HasPrefix(s.code, "Kms") || s.coded("AccessDenied") && s.says("kms:")
	},
		"grant kms:Decrypt and kms:GenerateDataKey on the key that encrypts it"},
	{func(s symptoms) bool { return s.says("proxyconnect", "invalid proxy address") },
		"correct or remove HTTPS_PROXY and HTTP_PROXY: the request could not be sent by the proxy that they name"},
	{func(s symptoms) bool { return s.is(syscall.ECONNREFUSED) },
		"nothing listens at this address: start the service, or correct AWS_ENDPOINT_URL or SHUFFLE_SHEETS_ENDPOINT, whichever names it"},
	{func(s symptoms) bool {
		lookup, ok := errors.AsType[*net.DNSError](s.err)
		return ok && lookup.IsNotFound
	}, "no such address: check AWS_REGION, AWS_ENDPOINT_URL and SHUFFLE_SHEETS_ENDPOINT for typing slips, and the network"},
	{func(s symptoms) bool { return s.says("server gave HTTP response to HTTPS client") },
		"the service speaks HTTP without TLS: begin its address with http:// instead of https://"},
	{func(s symptoms) bool { return s.says("malformed HTTP response", "HTTP request to an HTTPS server") },
		"the service speaks another protocol, perhaps TLS: begin its address with https:// instead of http://, and check the port"},
	{func(s symptoms) bool { return s.says("unsupported protocol scheme", "not a valid URI") },
		"write the address with http:// or https:// at its beginning: AWS_ENDPOINT_URL, or endpoint_url in ~/.aws/config"},
	{func(s symptoms) bool { return s.says("x509: ", "tls: failed to verify") },
		"this machine does not trust the certificate: name the authority's certificate in AWS_CA_BUNDLE, and check the clock"},
	{func(s symptoms) bool {
		return s.is(sheet.ErrAnswer) || s.coded(bucket.CodeBadAnswer) || s.says("deserialization failed")
	},
		"something else answers at this address, such as a proxy or a login page: check AWS_ENDPOINT_URL, SHUFFLE_SHEETS_ENDPOINT and HTTPS_PROXY"},
	{func(s symptoms) bool {
		op, ok := errors.AsType[*net.OpError](s.err)
		return ok && op.Timeout() || s.is(sheet.ErrNoConnection)
	}, "no answer from this address: check the network, a VPN or HTTPS_PROXY"},
	{func(s symptoms) bool { return s.says("database disk image is malformed", "file is not a database") },
		"queues.db is damaged: delete queues.db-wal and queues.db-shm beside it, and then queues.db, and type shuffle setup. Nothing is lost: " +
			"services go on in the new file, the tracker publishes what is open again after SHUFFLE_STALL, and shuffle redrive RUN does at once"},
	{func(s symptoms) bool {
		return s.says("attempt to write a readonly database", "unable to open database file")
	},
		"let this user write to the folder of queues.db; services go on by themselves then"},
	{func(s symptoms) bool {
		return s.says("the folder of the queues is gone", "the bucket's folder is gone")
	},
		"put the folder of --local (SHUFFLE_LOCAL) back, or make it anew with shuffle setup; services go on by themselves then"},
	{func(s symptoms) bool { return s.is(syscall.ENOSPC, syscall.EDQUOT) }, "free some space on the disk"},
	{func(s symptoms) bool { return s.is(fs.ErrPermission, syscall.EROFS) },
		"let this user read and write there, or choose another folder"},
	{func(s symptoms) bool { return s.coded(bucket.CodeSlowDown, "RequestThrottled", "Throttling") },
		"the service is busy: try again in a minute, and run fewer commands at a time"},
}

// OfLogin reports whether an advice is about the login for AWS, which makes every check of AWS
// fail.
func OfLogin(advice string) bool {
	return slices.ContainsFunc(loginCauses, func(c cause) bool { return c.advice == advice })
}

// Advice returns what to do about an error, by its cause. It returns "" for an unknown cause.
func Advice(err error) string {
	if err == nil {
		return ""
	}
	if elsewhere, ok := errors.AsType[*bucket.RegionError](err); ok {
		return "the bucket is in region " + elsewhere.Region + ": set AWS_REGION=" + elsewhere.Region +
			", and AWS_ENDPOINT_URL, if it is set, to an address there"
	}
	s := symptomsOf(err)
	for _, c := range causes {
		if c.holds(s) {
			return c.advice
		}
	}
	return ""
}
