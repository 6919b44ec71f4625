package dashboard

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/page"
)

// headers are the security headers of every answer.
var headers = map[string]string{
	"Content-Security-Policy":      page.Policy,
	"X-Content-Type-Options":       "nosniff",
	"X-Frame-Options":              "DENY",
	"Referrer-Policy":              "no-referrer",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Embedder-Policy": "require-corp",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Permissions-Policy":           "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}

// guard checks host and method before every handler.
func (d *dashboard) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range headers {
			w.Header().Set(name, value)
		}
		switch {
		case !d.allowsHost(r.Host):
			http.Error(w, "This host name is not allowed here"+
				": open the server by its IP address or as localhost, or start it with --http-host and the name.", http.StatusMisdirectedRequest)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "This server only answers GET and HEAD.", http.StatusMethodNotAllowed)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// allowsHost reports whether a request may have this Host. IP addresses are always allowed: DNS
// rebinding needs a name, which the attacker's DNS then resolves to this server.
func (d *dashboard) allowsHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return host == "localhost" || slices.ContainsFunc(d.Hosts, func(name string) bool { return strings.EqualFold(name, host) })
}
