package api

import (
	"bytes"
	_ "embed" // for the templates below
	"fmt"
	"html/template"
	"reflect"
	"slices"
	"strconv"
	"strings"
	texttemplate "text/template"

	"github.com/gofiber/fiber/v2"

	"telltale/backend/job"
)

var (
	//go:embed docs.html
	docsHTML string
	//go:embed docs.css
	docsCSS string
	//go:embed docs.md
	docsMarkdown string
)

// docsPage is the API's reference as a page that loads only its own style.
func docsPage() ([]byte, error) {
	t, err := template.New("docs").Funcs(template.FuncMap{"headers": headerLine, "types": typeLine}).Parse(docsHTML)
	if err != nil {
		return nil, fmt.Errorf("docs page: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, docsData()); err != nil {
		return nil, fmt.Errorf("docs page: %w", err)
	}
	return b.Bytes(), nil
}

// Reference is the API's reference in Markdown, made from the same table.
func Reference() (string, error) {
	t, err := texttemplate.New("reference").Funcs(texttemplate.FuncMap{"headers": headerLine, "types": typeLine, "cell": markdownCell}).Parse(docsMarkdown)
	if err != nil {
		return "", fmt.Errorf("reference: %w", err)
	}
	var b strings.Builder
	if err := t.Execute(&b, docsData()); err != nil {
		return "", fmt.Errorf("reference: %w", err)
	}
	return b.String(), nil
}

// What the templates see. Fields are exported because templates read no others.
type (
	docs struct {
		Routes []docsRoute
		Faults []docsFault
		Limits []docsLimit
	}
	docsRoute struct {
		ID, Method, Path, Summary, About, Body string
		Params                                 []docsParam
		Answers                                []docsAnswer
		Problems                               []string
	}
	docsParam  struct{ Name, In, About string }
	docsAnswer struct {
		Status         int
		About          string
		Types, Headers []string
	}
	docsFault struct {
		Code, Title, Hint string
		Status            int
	}
	docsLimit struct{ What, Value string }
)

func docsData() docs {
	var d docs
	for _, r := range routes() {
		out := docsRoute{ID: r.id, Method: r.method, Path: r.path, Summary: r.summary, About: r.about, Problems: problemsOf(r)}
		if r.body != nil {
			out.Body = r.body.Name()
		}
		for _, p := range r.params {
			about := p.about
			if p.many {
				about += ". May be repeated"
			}
			out.Params = append(out.Params, docsParam{Name: p.name, In: p.in, About: about})
		}
		for _, a := range r.answers {
			answer := docsAnswer{Status: a.status, About: a.about, Headers: a.headers}
			for media, t := range a.types {
				answer.Types = append(answer.Types, strings.TrimSpace(media+" "+typeName(t)))
			}
			slices.Sort(answer.Types)
			out.Answers = append(out.Answers, answer)
		}
		d.Routes = append(d.Routes, out)
	}
	for _, f := range faults() {
		d.Faults = append(d.Faults, docsFault{Code: f.code, Title: f.title, Hint: f.hint, Status: f.status})
	}
	d.Limits = []docsLimit{
		{"request body", fmt.Sprintf("%d KiB", maxBody>>10)},
		{"address and headers together", fmt.Sprintf("%d KiB", maxHead>>10)},
		{"address", fmt.Sprintf("%d KiB", maxURL>>10)},
		{"levels of JSON", strconv.Itoa(maxDepth)},
		{"time for a request to arrive", readTimeout.String()},
		{"holding an answer back (Prefer: wait, wait=)", maxWait.String()},
		{"topics of one stream", strconv.Itoa(maxTopics)},
		{"changes of one long-poll", strconv.Itoa(maxPoll)},
		{"job status, encoded", fmt.Sprintf("%d KiB", job.MaxSize>>10)},
	}
	return d
}

func typeName(t reflect.Type) string {
	switch {
	case t == nil || t.Name() == "":
		return ""
	case t == reflect.TypeFor[Status]():
		return "Job"
	}
	return t.Name()
}

func headerLine(names []string) string { return strings.Join(names, ", ") }

func typeLine(types []string) string { return strings.Join(types, ", ") }

func (s *Server) getOpenAPI(c *fiber.Ctx) error { return sendJSON(c, s.spec) }

func (s *Server) getDocs(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentType, htmlType+"; charset=utf-8")
	c.Response().SetBodyRaw(s.docs)
	return nil
}

func (s *Server) getDocsStyle(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentType, "text/css; charset=utf-8")
	return c.SendString(docsCSS)
}
