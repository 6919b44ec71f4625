package dashboard

import (
	"net/http"
	"strings"

	"github.com/klauspost/compress/gzhttp"
)

// compress compresses pages, styles and scripts for browsers that accept it. Streams of events are
// not compressed, since each event must be sent at once. Images are compressed already.
func compress(next http.Handler) http.Handler {
	wrap, err := gzhttp.NewWrapper(gzhttp.ContentTypes([]string{"text/html", "text/css", "text/javascript", "application/json", "image/svg+xml"}))
	if err != nil {
		panic("gzhttp: " + err.Error()) // the options are constant
	}
	zipped := wrap(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/events") || strings.HasPrefix(r.URL.Path, "/images/") {
			next.ServeHTTP(w, r)
			return
		}
		zipped.ServeHTTP(w, r)
	})
}
