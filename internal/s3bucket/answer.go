package s3bucket

import (
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// readNothing leaves each answer to the SDK.
func readNothing([]byte) (any, bool) { return nil, false }

// readCopy reads the answer to CopyObject.
func readCopy(body []byte) (any, bool) {
	const root = "CopyObjectResult"
	s := xmlScanner{rest: body}
	s.start(root)
	var etag *string
	for {
		name, ok := s.open()
		if !ok {
			break
		}
		if string(name) != "ETag" {
			s.skip(name)
			continue
		}
		text := string(s.appendText(nil, s.text(name)))
		etag = &text
	}
	s.end(root)
	return &s3.CopyObjectOutput{CopyObjectResult: &types.CopyObjectResult{ETag: etag}}, !s.bad
}

// readList reads the answer to ListObjectsV2, of which pageOf wants these fields.
func readList(body []byte) (any, bool) {
	const root = "ListBucketResult"
	l := listReader{xmlScanner: xmlScanner{rest: body}, out: &s3.ListObjectsV2Output{}}
	l.start(root)
	for {
		name, ok := l.open()
		if !ok {
			break
		}
		switch string(name) {
		case "Contents":
			l.contents(name)
		case "CommonPrefixes":
			l.prefixes(name)
		case "IsTruncated":
			l.out.IsTruncated = l.bool(l.text(name))
		case "NextContinuationToken":
			l.out.NextContinuationToken = l.string(l.text(name))
		case "Name":
			l.out.Name = l.string(l.text(name))
		case "Prefix":
			l.out.Prefix = l.string(l.text(name))
		case "EncodingType":
			l.out.EncodingType = types.EncodingType(*l.string(l.text(name)))
		default:
			l.skip(name)
		}
	}
	l.end(root)
	return l.finish(), !l.bad
}

// listReader gathers the texts of a page in one piece, since a season has hundreds of thousands of keys and no other part of the answer
// is to be kept with them.
type listReader struct {
	xmlScanner
	out   *s3.ListObjectsV2Output
	texts []byte
	ends  []int // of key and ETag of each object, in texts
	sizes []int64
	class []types.ObjectStorageClass
}

func (l *listReader) string(text []byte) *string {
	s := string(l.appendText(nil, text))
	return &s
}

func (l *listReader) contents(element []byte) {
	var key, etag, size, class []byte
	for {
		name, ok := l.open()
		if !ok {
			break
		}
		switch string(name) {
		case "Key":
			key = l.text(name)
		case "ETag":
			etag = l.text(name)
		case "Size":
			size = l.text(name)
		case "StorageClass":
			class = l.text(name)
		default:
			l.skip(name)
		}
	}
	l.close(element)
	l.texts = l.appendText(l.texts, key)
	l.ends = append(l.ends, len(l.texts))
	l.texts = l.appendText(l.texts, etag)
	l.ends = append(l.ends, len(l.texts))
	l.sizes = append(l.sizes, l.number(size))
	l.class = append(l.class, l.storageClass(class))
}

// storageClass makes no new string for a class like the last one: nearly all objects of a bucket
// have the same.
func (l *listReader) storageClass(text []byte) types.ObjectStorageClass {
	if n := len(l.class); n > 0 && string(l.class[n-1]) == string(text) {
		return l.class[n-1]
	}
	return types.ObjectStorageClass(*l.string(text))
}

func (l *listReader) prefixes(element []byte) {
	var prefix types.CommonPrefix
	for {
		name, ok := l.open()
		if !ok {
			break
		}
		if string(name) == "Prefix" {
			prefix.Prefix = l.string(l.text(name))
			continue
		}
		l.skip(name)
	}
	l.close(element)
	l.out.CommonPrefixes = append(l.out.CommonPrefixes, prefix)
}

// finish cuts the texts.
func (l *listReader) finish() *s3.ListObjectsV2Output {
	texts, begin := string(l.texts), 0
	cut := make([]string, len(l.ends))
	for i, end := range l.ends {
		cut[i], begin = texts[begin:end], end
	}
	l.out.Contents = make([]types.Object, len(l.sizes))
	for i := range l.sizes {
		l.out.Contents[i] = types.Object{Key: &cut[2*i], ETag: &cut[2*i+1], Size: &l.sizes[i], StorageClass: l.class[i]}
	}
	return l.out
}
