package app

import (
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
)

// Config is what a house is put together from.
type Config struct {
	Catalog string // path of the catalog file
	Data    string // folder of the store, the logs and the socket; made when missing
	Server  string // base URL of a running server to talk to instead, or ""
	Listen  string // host:port for browsers

	Version string       // as printed by telltale version
	Static  fs.FS        // the built frontend
	Log     *slog.Logger // defaults to slog.Default()
}

// Setting is one thing a person can set: by flag, else by environment variable,
// else the default. Flags, variables and the reference page come from the table
// that Settings returns.
type Setting struct {
	Flag    string
	Env     string
	Default string
	Doc     string
	Field   func(*Config) *string
}

// Settings is the table of everything that can be set, with the defaults of
// this machine and user.
func Settings() []Setting {
	return []Setting{
		{"config", "TELLTALE_CONFIG", "telltale.yaml", "the catalog file", func(c *Config) *string { return &c.Catalog }},
		{"data", "TELLTALE_DATA", defaultData(), "folder of the records, the logs and the socket", func(c *Config) *string { return &c.Data }},
		{"server", "TELLTALE_SERVER", "", "URL of a running server to talk to", func(c *Config) *string { return &c.Server }},
		{"listen", "TELLTALE_LISTEN", "127.0.0.1:8080", "address for browsers (serve)", func(c *Config) *string { return &c.Listen }},
	}
}

// Value is what the setting is when no flag is given. An empty variable counts
// as not set.
func (s Setting) Value() string {
	if v := os.Getenv(s.Env); v != "" {
		return v
	}
	return s.Default
}

// defaultData follows the XDG base directory specification: state that outlives
// a restart and is no document of the user's.
func defaultData() string {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "telltale")
	}
	if home, err := os.UserHomeDir(); err == nil {
		return filepath.Join(home, ".local", "state", "telltale")
	}
	return "telltale-data"
}
