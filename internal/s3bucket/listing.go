package s3bucket

// listing has the used fields of an answer to ListObjectsV2.
type listing struct {
	Name                  string
	Prefix                string
	EncodingType          string
	IsTruncated           bool
	NextContinuationToken string
	Contents              []listed
	CommonPrefixes        []commonPrefix
}

type listed struct {
	Key, ETag, StorageClass string
	Size                    *int64 // nil: the answer has no size
}

type commonPrefix struct{ Prefix string }

// decodeListing reads S3's usual answers with a fast scanner, and all other answers with
// encoding/xml. encoding/xml takes five times as long, longer than the rest of a listing.
func decodeListing(body []byte) (listing, error) {
	if l, ok := scanListing(body); ok {
		return l, nil
	}
	var l listing
	err := decode(body, listRoot, &l)
	return l, err
}

const listRoot = "ListBucketResult"

// scanListing reports whether the answer had the form that the scanner reads.
func scanListing(body []byte) (listing, bool) {
	// About a third would be enough.
	l := listReader{xmlScanner: xmlScanner{rest: body}, texts: make([]byte, 0, len(body)/2)}
	l.start(listRoot)
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
			l.out.EncodingType = l.string(l.text(name))
		default:
			l.skip(name)
		}
	}
	l.end(listRoot)
	return l.finish(), !l.bad
}

// listReader collects the texts of a page in one string. A season has hundreds of thousands of
// keys, and they must not keep the rest of the answer in memory.
type listReader struct {
	xmlScanner
	out   listing
	texts []byte
	ends  []int // of key and ETag of each object, in texts
	sizes []int64
	class []string
}

func (l *listReader) string(text []byte) string { return string(l.appendText(nil, text)) }

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

// storageClass reuses the last string for an equal class, because nearly all objects of a bucket
// have the same class.
func (l *listReader) storageClass(text []byte) string {
	if n := len(l.class); n > 0 && l.class[n-1] == string(text) {
		return l.class[n-1]
	}
	return l.string(text)
}

func (l *listReader) prefixes(element []byte) {
	var prefix commonPrefix
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
func (l *listReader) finish() listing {
	texts, begin := string(l.texts), 0
	cut := func(end int) (text string) {
		text, begin = texts[begin:end], end
		return text
	}
	l.out.Contents = make([]listed, len(l.sizes))
	for i := range l.sizes {
		key, etag := cut(l.ends[2*i]), cut(l.ends[2*i+1])
		l.out.Contents[i] = listed{Key: key, ETag: etag, Size: &l.sizes[i], StorageClass: l.class[i]}
	}
	return l.out
}
