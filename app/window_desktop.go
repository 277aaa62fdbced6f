//go:build desktop

package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"runtime"
	"time"

	"github.com/wailsapp/wails/v2"
	"github.com/wailsapp/wails/v2/pkg/options"
	"github.com/wailsapp/wails/v2/pkg/options/assetserver"
	"github.com/wailsapp/wails/v2/pkg/options/linux"
	window "github.com/wailsapp/wails/v2/pkg/runtime"
)

// HasWindow says whether this build can open a window.
const HasWindow = true

// RunWindow shows the page in a native window until it is closed or ctx ends.
// When a server already owns cfg.Data the window is a guest of that server;
// else it opens the house itself, and closing it closes the house. No port is
// opened either way: the window talks to the Unix socket in the data folder.
func RunWindow(ctx context.Context, cfg Config) error {
	if runtime.GOOS == "linux" && os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
		return errors.New("no display to open a window on: use telltale serve and a browser") // Wails would panic
	}
	if !answers(ctx, SocketPath(cfg.Data)) {
		a, err := Open(ctx, cfg)
		if err != nil {
			return err
		}
		defer func() {
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
			defer cancel()
			_ = a.Close(last) // the window is gone; what went wrong is in the log
		}()
	}
	return wails.Run(&options.App{
		Title: "Telltale", Width: 1100, Height: 760, MinWidth: 390, MinHeight: 480,
		AssetServer: &assetserver.Options{Handler: throughSocket(SocketPath(cfg.Data))},
		// With a Linux struct and no policy Wails asks WebKit for ALWAYS, which
		// is a white window on machines without a GPU.
		Linux: &linux.Options{ProgramName: "telltale", WebviewGpuPolicy: linux.WebviewGpuPolicyNever},
		OnStartup: func(open context.Context) {
			go func() {
				select {
				case <-ctx.Done():
					window.Quit(open)
				case <-open.Done():
				}
			}()
		},
	})
}

// answers reports whether somebody accepts connections on the socket.
func answers(ctx context.Context, path string) bool {
	dialer := net.Dialer{Timeout: time.Second}
	c, err := dialer.DialContext(ctx, "unix", path)
	if err != nil {
		return false
	}
	_ = c.Close() // it only had to open
	return true
}

// throughSocket forwards the window's requests to the server behind the socket,
// and streams: an event is on the page when it was sent, not when a buffer is
// full.
func throughSocket(path string) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(&url.URL{Scheme: "http", Host: "localhost"})
			p.Out.Host = "localhost"
			p.Out.Header.Del("Origin") // wails://wails is an origin no server knows
			p.Out.Header.Del("Referer")
		},
		FlushInterval: -1,
		ErrorLog:      slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug), // a window that closes a stream is no error
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "unix", path)
			},
			MaxIdleConnsPerHost: 32,
			IdleConnTimeout:     30 * time.Second,
			DisableCompression:  true,
		},
	}
}
