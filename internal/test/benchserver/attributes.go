package benchserver

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The default attributes of a queue in SQS (CreateQueue, SQS API reference).
var defaultAttributes = map[string]string{
	"VisibilityTimeout": "30", "ReceiveMessageWaitTimeSeconds": "0", "MessageRetentionPeriod": "345600",
	"MaximumMessageSize": "1048576", "DelaySeconds": "0", "SqsManagedSseEnabled": "true",
}

// arnPrefix is the prefix of every queue's ARN: there is one account.
const arnPrefix = "arn:aws:sqs:us-east-1:000000000000:"

// setAttributes changes all given attributes, or none when it returns an error.
func (q *queue) setAttributes(changes map[string]string) *sqsError {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := maps.Clone(defaultAttributes)
	maps.Copy(all, q.attributes)
	maps.Copy(all, changes)
	visibility, err := strconv.Atoi(all["VisibilityTimeout"])
	if err != nil {
		return invalidAttribute("VisibilityTimeout")
	}
	var policy struct {
		Target string      `json:"deadLetterTargetArn"`
		Count  json.Number `json:"maxReceiveCount"`
	}
	if text := all["RedrivePolicy"]; text == "" {
		delete(all, "RedrivePolicy") // "" removes it
	} else if json.Unmarshal([]byte(text), &policy) != nil || !strings.HasPrefix(policy.Target, arnPrefix) {
		return invalidAttribute("RedrivePolicy")
	}
	count, err := strconv.Atoi(policy.Count.String())
	if err != nil && policy.Target != "" {
		return invalidAttribute("RedrivePolicy")
	}
	q.attributes, q.visibility = all, time.Duration(visibility)*time.Second
	q.maxReceive, q.deadTarget = count, strings.TrimPrefix(policy.Target, arnPrefix)
	return nil
}

func invalidAttribute(name string) *sqsError {
	return &sqsError{"InvalidAttributeValue", "InvalidAttributeValue", "Invalid value for the parameter " + name + "."}
}

// getAttributes returns the named attributes that the queue has; "All" means all.
func (q *queue) getAttributes(names []string) map[string]string {
	visible, hidden := q.counts()
	q.mu.Lock()
	defer q.mu.Unlock()
	all := maps.Clone(q.attributes)
	all["QueueArn"] = arnPrefix + q.name
	all["ApproximateNumberOfMessages"] = strconv.Itoa(visible)
	all["ApproximateNumberOfMessagesNotVisible"] = strconv.Itoa(hidden)
	all["ApproximateNumberOfMessagesDelayed"] = "0"
	if !slices.Contains(names, "All") {
		maps.DeleteFunc(all, func(name, _ string) bool { return !slices.Contains(names, name) })
	}
	return all
}

// has reports whether the queue was created with these attributes.
func (q *queue) has(attributes map[string]string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for name, value := range attributes {
		if q.attributes[name] != value {
			return false
		}
	}
	return true
}
