package benchserver

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
)

// maxKeys is the number of keys on a page of S3.
const maxKeys = 1000

// answerList answers ListObjectsV2.
func answerList(w http.ResponseWriter, r *http.Request, b *store) *refusal {
	q := r.URL.Query()
	if q.Get("list-type") != "2" {
		return notImplemented
	}
	limit := maxKeys
	if text := q.Get("max-keys"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return &refusal{http.StatusBadRequest, "InvalidArgument", "max-keys must be a number"}
		}
		limit = min(n, maxKeys)
	}
	after := q.Get("start-after")
	if token := q.Get("continuation-token"); token != "" {
		marker, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil {
			return &refusal{http.StatusBadRequest, "InvalidArgument", "The continuation token provided is incorrect"}
		}
		after = string(marker)
	}
	page, more := b.list(q.Get("prefix"), q.Get("delimiter"), after, limit)
	answerXML(w, http.StatusOK, appendPage(make([]byte, 0, 512+280*len(page)), q, page, more))
	return nil
}

func appendPage(body []byte, q url.Values, page []entry, more bool) []byte {
	text := escapeXML
	body = append(body, `<ListBucketResult xmlns="`+xmlSpace+`">`...)
	if q.Get("encoding-type") == "url" {
		text = escapeURL
		body = appendElement(body, "EncodingType", "url")
	}
	body = append(body, "<Prefix>"+text(q.Get("prefix"))+"</Prefix>"...)
	body = appendElement(body, "KeyCount", strconv.Itoa(len(page)))
	body = appendElement(body, "IsTruncated", strconv.FormatBool(more))
	if more && len(page) > 0 {
		marker := page[len(page)-1].marker()
		body = appendElement(body, "NextContinuationToken", base64.RawURLEncoding.EncodeToString([]byte(marker)))
	}
	for _, e := range page {
		body = appendEntry(body, e, text)
	}
	return append(body, "</ListBucketResult>"...)
}

func appendEntry(body []byte, e entry, text func(string) string) []byte {
	if e.object == nil {
		body = append(append(body, "<CommonPrefixes><Prefix>"...), text(e.key)...)
		return append(body, "</Prefix></CommonPrefixes>"...)
	}
	body = append(append(body, "<Contents><Key>"...), text(e.key)...)
	body = e.object.modified.AppendFormat(append(body, "</Key><LastModified>"...), xmlTime)
	body = append(append(body, "</LastModified><ETag>"...), e.object.etag...)
	body = strconv.AppendInt(append(body, "</ETag><Size>"...), int64(len(e.object.body)), 10)
	return append(body, "</Size><StorageClass>STANDARD</StorageClass></Contents>"...)
}
