package api

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// file is one file of the built page, in memory.
type file struct {
	body  []byte
	kind  string // its media type
	etag  string
	cache string // its Cache-Control
}

// files are the built page by path, such as /assets/index-1a2b.js.
type files map[string]file

// hashed is the folder whose file names change with their content.
const hashed = "/assets/"

// readFiles reads the whole page once. nil is no page.
func readFiles(page fs.FS) (files, error) {
	all := files{}
	if page == nil {
		return all, nil
	}
	err := fs.WalkDir(page, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(path.Base(name), ".") {
			return err
		}
		body, err := fs.ReadFile(page, name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		f := file{body: body, kind: mediaType(name), etag: `"` + hex.EncodeToString(sum[:12]) + `"`, cache: "no-cache"}
		if strings.HasPrefix("/"+name, hashed) {
			f.cache = "public, max-age=31536000, immutable"
		}
		all["/"+name] = f
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("built page: %w", err)
	}
	return all, nil
}

// mediaType goes by the name's ending. The system's own table is not asked: it
// differs from machine to machine, and a wrong type is a page that does not load.
func mediaType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	case ".ico":
		return "image/x-icon"
	case ".woff2":
		return "font/woff2"
	case ".json", ".map":
		return jsonType
	case ".webmanifest":
		return "application/manifest+json"
	case ".txt":
		return "text/plain; charset=utf-8"
	}
	return "application/octet-stream"
}

// otherwise answers what no route did: files of the page, the page itself for
// its own addresses, and errors.
func (s *Server) otherwise(c *fiber.Ctx) error {
	at := c.Path()
	if methods := methodsAt(at); len(methods) > 0 {
		r := refuse("method_not_allowed", "There is something at this address, but not for %s.", printable(c.Method()))
		r.header = map[string]string{"Allow": strings.Join(methods, ", ")}
		return r
	}
	if strings.HasPrefix(at, "/api/") || at == "/api" {
		return refuse("not_found", "There is nothing at this address.")
	}
	if c.Method() != fiber.MethodGet && c.Method() != fiber.MethodHead {
		r := refuse("method_not_allowed", "The page can only be read.")
		r.header = map[string]string{"Allow": "GET, HEAD"}
		return r
	}
	f, found := s.files[at]
	if !found && pageAddress(at) {
		if f, found = s.files["/index.html"]; !found && at == "/" {
			r := refuse("not_found", "This build has no page.")
			r.hint = "Build the page and then the program, or use the API: see /docs."
			return r
		}
	}
	if !found {
		return refuse("not_found", "There is nothing at this address.")
	}
	c.Set(fiber.HeaderCacheControl, f.cache)
	c.Set(fiber.HeaderETag, f.etag)
	if match := c.Get(fiber.HeaderIfNoneMatch); match != "" && matches(match, f.etag) {
		c.Status(http.StatusNotModified)
		return nil
	}
	c.Set(fiber.HeaderContentType, f.kind)
	c.Response().SetBodyRaw(f.body)
	return nil
}

// pageAddress reports an address the page may have given itself: plain segments
// only, and nothing that looks like a file that is missing.
func pageAddress(at string) bool {
	if strings.HasPrefix(at, hashed) || strings.Contains(at, "//") || strings.Contains(path.Base(at), ".") {
		return false
	}
	for _, c := range []byte(at) {
		letter := (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
		if !letter && !strings.ContainsRune("/-_.~", rune(c)) {
			return false
		}
	}
	return !strings.Contains(at+"/", "/../") && !strings.Contains(at+"/", "/./")
}

// methodsAt lists the methods of the table's routes at a path.
func methodsAt(at string) []string {
	var methods []string
	for _, r := range routes() {
		if !sameShape(r.path, at) {
			continue
		}
		methods = append(methods, r.method)
		if r.method == http.MethodGet && !streams(r) {
			methods = append(methods, http.MethodHead)
		}
	}
	return methods
}

func sameShape(pattern, at string) bool {
	want, have := strings.Split(pattern, "/"), strings.Split(at, "/")
	if len(want) != len(have) {
		return false
	}
	for i, w := range want {
		if w != have[i] && (!strings.HasPrefix(w, "{") || have[i] == "") {
			return false
		}
	}
	return true
}

// streams reports that the route may answer a stream, which HEAD cannot ask for.
func streams(r route) bool {
	for _, a := range r.answers {
		if _, ok := a.types[streamType]; ok {
			return true
		}
	}
	return false
}

// fiberPath is a path of the table in Fiber's form.
func fiberPath(p string) string { return strings.NewReplacer("{", ":", "}", "").Replace(p) }
