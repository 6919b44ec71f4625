package stacktest

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Cloud is an emulator of AWS: LocalStack or moto. It sends plain HTTP requests: the clients of all
// these services would take longer to compile than the tests take to run.
type Cloud struct {
	T        testing.TB
	Endpoint string
}

// versions are the API versions of the services with the query protocol.
var versions = map[string]string{
	"cloudformation": "2010-05-15", "sns": "2010-03-31", "monitoring": "2010-08-01", "iam": "2010-05-08",
}

// Query calls an action of a service that answers in XML, and decodes the answer into out.
func (c Cloud) Query(service, action string, parameters map[string]string, out any) {
	c.T.Helper()
	form := url.Values{"Action": {action}, "Version": {versions[service]}}
	for name, value := range parameters {
		form.Set(name, value)
	}
	body := c.send(service, http.MethodPost, "/", "application/x-www-form-urlencoded", "", []byte(form.Encode()))
	if err := xml.Unmarshal(body, out); err != nil {
		c.T.Fatalf("%s %s: %v\n%s", service, action, err, body)
	}
}

// JSON calls a target, such as AWSEvents.PutEvents, of a service with a JSON protocol.
func (c Cloud) JSON(service, target string, in, out any) {
	c.T.Helper()
	request, err := json.Marshal(in)
	if err != nil {
		c.T.Fatal(err)
	}
	body := c.send(service, http.MethodPost, "/", "application/x-amz-json-1.1", target, request)
	if err := json.Unmarshal(body, out); err != nil {
		c.T.Fatalf("%s: %v\n%s", target, err, body)
	}
}

// Get reads a path of a service with a REST and JSON protocol.
func (c Cloud) Get(service, path string, out any) {
	c.T.Helper()
	body := c.send(service, http.MethodGet, path, "", "", nil)
	if err := json.Unmarshal(body, out); err != nil {
		c.T.Fatalf("GET %s: %v\n%s", path, err, body)
	}
}

// send fails the test when the answer is not 200. The emulators ignore the signature, except for
// the service in its scope.
func (c Cloud) send(service, method, path, kind, target string, body []byte) []byte {
	c.T.Helper()
	req, err := http.NewRequestWithContext(c.T.Context(), method, c.Endpoint+path, bytes.NewReader(body))
	if err != nil {
		c.T.Fatal(err)
	}
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/"+Region+"/"+service+"/aws4_request, SignedHeaders=host, Signature=none")
	req.Header.Set("Content-Type", kind)
	if target != "" {
		req.Header.Set("X-Amz-Target", target)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.T.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // It was only read.
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		c.T.Fatalf("%s %s %s: %s, error %v\n%.2000s", service, method, target, resp.Status, err, answer)
	}
	return answer
}

// Deployed is a resource of a stack that was created.
type Deployed struct {
	ID         string `xml:"LogicalResourceId"`
	PhysicalID string `xml:"PhysicalResourceId"`
	Type       string `xml:"ResourceType"`
	Status     string `xml:"ResourceStatus"`
}

// Deploy creates a stack, waits for it, and returns its resources by logical ID. The stack is
// deleted when the test ends.
func (c Cloud) Deploy(name string, template []byte, parameters map[string]string) map[string]Deployed {
	c.T.Helper()
	form := map[string]string{"StackName": name, "TemplateURL": c.upload(name, template), "Capabilities.member.1": "CAPABILITY_NAMED_IAM"}
	n := 0
	for key, value := range parameters {
		n++
		form[fmt.Sprintf("Parameters.member.%d.ParameterKey", n)] = key
		form[fmt.Sprintf("Parameters.member.%d.ParameterValue", n)] = value
	}
	var created struct{}
	c.Query("cloudformation", "CreateStack", form, &created)
	c.await(name)
	var answer struct {
		Resources []Deployed `xml:"DescribeStackResourcesResult>StackResources>member"`
	}
	c.Query("cloudformation", "DescribeStackResources", map[string]string{"StackName": name}, &answer)
	resources := map[string]Deployed{}
	for _, r := range answer.Resources {
		resources[r.ID] = r
	}
	return resources
}

// upload uploads a template to a bucket of its own, as deploy/up does: it is longer than a request
// may be.
func (c Cloud) upload(stack string, template []byte) (url string) {
	c.T.Helper()
	bucket := "/templates-" + stack
	where := []byte(`<CreateBucketConfiguration><LocationConstraint>` + Region + `</LocationConstraint></CreateBucketConfiguration>`)
	c.send("s3", http.MethodPut, bucket, "application/xml", "", where)
	c.send("s3", http.MethodPut, bucket+"/stack.yaml", "application/yaml", "", template)
	return "https://s3." + Region + ".amazonaws.com" + bucket + "/stack.yaml"
}

// creation is the time limit for the creation of a stack.
const creation = 5 * time.Minute

func (c Cloud) await(name string) {
	c.T.Helper()
	deadline := time.Now().Add(creation)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		var answer struct {
			Status string `xml:"DescribeStacksResult>Stacks>member>StackStatus"`
			Reason string `xml:"DescribeStacksResult>Stacks>member>StackStatusReason"`
		}
		c.Query("cloudformation", "DescribeStacks", map[string]string{"StackName": name}, &answer)
		switch {
		case answer.Status == "CREATE_COMPLETE":
			return
		case !strings.HasSuffix(answer.Status, "_IN_PROGRESS"), time.Now().After(deadline):
			c.T.Fatalf("stack %s is %s: %s", name, answer.Status, answer.Reason)
		}
		<-tick.C
	}
}
