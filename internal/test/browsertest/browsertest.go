// Package browsertest drives a real Chromium in tests.
package browsertest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/angel-nft/google-shuffle/internal/test/testenv"
)

// patience limits every wait. It is long, because machines may be slow and busy.
const patience = 2 * time.Minute

// Open starts a browser of its own for the test and opens a tab. The test fails at its end for an
// error on the console, an exception, or a request to a host that was not visited.
func Open(t *testing.T) *Tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(testenv.Browser(t)),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.WSURLReadTimeout(patience),
		chromedp.Flag("disable-dev-shm-usage", true), // containers have little shared memory
	)
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium refuses a sandbox to root
	}
	// The test's own context ends before the clean-up that ends the browser.
	ctx, stop := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	ctx, closeTab := chromedp.NewContext(ctx)
	tab := &Tab{t: t, ctx: ctx, hosts: map[string]bool{}}
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Logf("close the browser: %v", err)
		}
		closeTab()
		stop()
		tab.check()
	})
	if err := chromedp.Listen(ctx, tab.listen); err != nil { // this starts the browser
		t.Fatalf("start chromium: %v", err)
	}
	call(tab, network.Enable, network.EnableParams{})
	call(tab, log.Enable, cdp.Empty{})
	return tab
}

// Tab is an open page.
type Tab struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	hosts    map[string]bool // the visited hosts
	problems []string
}

func (tab *Tab) listen(event any) {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if u, err := url.Parse(e.Request.URL); err != nil || u.Scheme != "data" && !tab.hosts[u.Host] {
			tab.problems = append(tab.problems, "request to "+e.Request.URL)
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			tab.problems = append(tab.problems, fmt.Sprintf("console: %s %s", e.Entry.Text, e.Entry.URL))
		}
	case *runtime.EventConsoleAPICalled:
		if len(e.Args) > 0 && (e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning) {
			tab.problems = append(tab.problems, fmt.Sprintf("console.%s: %s", e.Type, e.Args[0].Value))
		}
	case *runtime.EventExceptionThrown:
		tab.problems = append(tab.problems, fmt.Sprintf("exception: %s, line %d of %s", e.ExceptionDetails.Text, e.ExceptionDetails.LineNumber, e.ExceptionDetails.URL))
	}
}

func (tab *Tab) check() {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	for _, p := range tab.problems {
		tab.t.Errorf("in the browser: %s", p)
	}
}

// run runs an action, with the time limit patience.
func run[T any](tab *Tab, action chromedp.Action[T]) T {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		tab.t.Fatal(err)
	}
	return value
}

// call sends a command of the DevTools protocol.
func call[P, R any](tab *Tab, command cdp.Command[P, R], params P) R {
	tab.t.Helper()
	return run(tab, func(ctx context.Context, target *chromedp.Target) (R, error) {
		return cdp.Call(ctx, target, command, params)
	})
}

// Visit opens an address; requests to its host are then allowed.
func (tab *Tab) Visit(address string) {
	tab.t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		tab.t.Fatal(err)
	}
	tab.mu.Lock()
	tab.hosts[u.Host] = true
	tab.mu.Unlock()
	run(tab, chromedp.Navigate(address))
}

// Screen sets the size of the tab; the scheme is "light" or "dark".
func (tab *Tab) Screen(width, height int, scheme string) {
	tab.t.Helper()
	call(tab, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: int64(width), Height: int64(height), DeviceScaleFactor: 1, Mobile: width < 600,
	})
	call(tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
}

// Eval evaluates JavaScript in the page.
func Eval[T any](tab *Tab, script string) T {
	tab.t.Helper()
	return run(tab, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
}

// Wait waits until a JavaScript expression is true, also when the page changes meanwhile.
func (tab *Tab) Wait(expression string) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	check := chromedp.Evaluate[bool]("Boolean("+expression+")", chromedp.EvalAwaitPromise)
	for {
		holds, err := chromedp.Run(ctx, check)
		switch {
		case holds:
			return
		case ctx.Err() != nil:
			tab.t.Fatalf("%s did not become true in %s; the page says:\n%s", expression, patience, Eval[string](tab, "document.body.innerText"))
		case err != nil && !leftPage(err):
			tab.t.Fatalf("%s: %v", expression, err)
		}
		run(tab, chromedp.Sleep(50*time.Millisecond)) // the interval of the checks
	}
}

// leftPage reports whether the evaluation of an expression failed because the browser went to
// another page.
func leftPage(err error) bool {
	return slices.ContainsFunc([]string{"navigated or closed", "context was destroyed", "Cannot find context"}, func(text string) bool {
		return strings.Contains(err.Error(), text)
	})
}

// Follow clicks the element that a JavaScript expression returns. The page may change before the
// browser answers, so the click comes after the answer.
func (tab *Tab) Follow(element string) {
	tab.t.Helper()
	Eval[bool](tab, "(e => { setTimeout(() => e.click()); return true })("+element+")")
}

// Permit grants permissions, with their names in the Permissions API.
func (tab *Tab) Permit(names ...string) {
	tab.t.Helper()
	for _, name := range names {
		p := browser.SetPermissionParams{Permission: &browser.PermissionDescriptor{Name: name}, Setting: browser.PermissionSettingGranted}
		run(tab, func(ctx context.Context, _ *chromedp.Target) (cdp.Empty, error) {
			return chromedp.CallBrowser(ctx, browser.SetPermission, p)
		})
	}
}

// Click clicks an element, as a person does.
func (tab *Tab) Click(selector string) {
	tab.t.Helper()
	run(tab, chromedp.Click(chromedp.CSS(selector)))
}

// Press presses keys, such as kb.Tab.
func (tab *Tab) Press(keys string) {
	tab.t.Helper()
	run(tab, chromedp.KeyEvent(keys))
}

// Shot saves the whole page as an image, when SHUFFLE_TEST_SCREENSHOTS names a folder.
func (tab *Tab) Shot(name string) {
	tab.t.Helper()
	dir := os.Getenv("SHUFFLE_TEST_SCREENSHOTS")
	if dir == "" {
		return
	}
	image := run(tab, chromedp.FullScreenshot(100))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		tab.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, strings.ReplaceAll(name, "/", "-")+".png"), image, 0o600); err != nil {
		tab.t.Fatal(err)
	}
}
