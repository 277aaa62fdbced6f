package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// The document is made by huma's schema generator from our own table and types.
// huma's Fiber adapter does not carry the routes themselves: it encodes bodies
// anew where we send stored bytes, decodes leniently where we are strict, keeps
// its error type in a package variable, and knows nothing of streams.

// Spec is the OpenAPI 3.1 document of the API, indented, ending in a line feed.
func Spec() ([]byte, error) {
	types := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	doc := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "Telltale", Version: "1",
			Description: "Start actions, watch jobs, read their records. Every job is one shape of truth: keep the greatest `rev`, whichever way it reached you.",
		},
		Servers:    []*huma.Server{{URL: "/"}},
		Components: &huma.Components{Schemas: types},
	}
	for _, r := range routes() {
		doc.AddOperation(operation(types, r))
	}
	for _, t := range payloads() {
		types.Schema(t, true, t.Name())
	}
	for name, s := range types.Map() {
		plain(s, name == "TriggerBody" || name == "Topics")
	}
	raw, err := doc.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("openapi document: %w", err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, raw, "", "  "); err != nil {
		return nil, fmt.Errorf("openapi document: %w", err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// plain takes out of a schema what huma adds by default and we do not send: null
// for lists, and a ban on fields a newer server may add. A request body keeps
// the ban, because there we do refuse.
func plain(s *huma.Schema, strict bool) {
	if s == nil {
		return
	}
	if s.Type == huma.TypeArray {
		s.Nullable = false
	}
	if s.AdditionalProperties == false && !strict {
		s.AdditionalProperties = nil
	}
	if values, ok := s.AdditionalProperties.(*huma.Schema); ok {
		plain(values, strict)
	}
	plain(s.Items, strict)
	for _, p := range s.Properties {
		plain(p, strict)
	}
}

// TransformSchema lets trouble be null, which a bare reference cannot say.
func (Actions) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	t := s.Properties["trouble"]
	s.Properties["trouble"] = &huma.Schema{
		OneOf:       []*huma.Schema{{Ref: t.Ref}, {Type: "null"}},
		Description: "What is wrong with the catalog file on disk, when the one in use is an older one; else null",
	}
	return s
}

func operation(types huma.Registry, r route) *huma.Operation {
	op := &huma.Operation{
		Method: r.method, Path: r.path, OperationID: r.id, Tags: []string{r.group},
		Summary: r.summary, Description: r.about, Responses: map[string]*huma.Response{},
	}
	for _, p := range r.params {
		op.Parameters = append(op.Parameters, parameter(p))
	}
	if r.body != nil {
		op.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{
			jsonType: {Schema: types.Schema(r.body, true, r.body.Name())},
		}}
	}
	for _, a := range r.answers {
		op.Responses[strconv.Itoa(a.status)] = response(types, a)
	}
	byStatus := map[int][]string{}
	for _, code := range problemsOf(r) {
		f := faultOf(code)
		byStatus[f.status] = append(byStatus[f.status], code)
	}
	problem := types.Schema(reflect.TypeFor[Problem](), true, "Problem")
	for status, codes := range byStatus {
		op.Responses[strconv.Itoa(status)] = &huma.Response{
			Description: "code is " + strings.Join(codes, " or "),
			Content:     map[string]*huma.MediaType{problemType: {Schema: problem}},
		}
	}
	return op
}

// problemsOf is every code a route may answer.
func problemsOf(r route) []string {
	codes := append([]string{"wrong_host", "internal"}, r.problems...)
	if len(r.params) > 0 {
		codes = append(codes, "bad_request")
	}
	if r.method != "GET" {
		codes = append(codes, "cross_site", "unsupported_media_type", "body_too_large")
	}
	if r.body != nil {
		codes = append(codes, "bad_json")
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

func parameter(p param) *huma.Param {
	s := &huma.Schema{Type: huma.TypeString}
	switch p.kind {
	case "integer":
		s.Type = huma.TypeInteger
	case "datetime":
		s.Format = "date-time"
	}
	for _, word := range p.enum {
		s.Enum = append(s.Enum, word)
	}
	out := &huma.Param{Name: p.name, In: p.in, Description: p.about, Required: p.in == "path", Schema: s}
	if p.many {
		explode := true
		out.Schema, out.Explode = &huma.Schema{Type: huma.TypeArray, Items: s}, &explode
	}
	return out
}

func response(types huma.Registry, a answer) *huma.Response {
	out := &huma.Response{Description: a.about}
	for _, media := range slices.Sorted(maps.Keys(a.types)) {
		s := &huma.Schema{Type: huma.TypeString}
		if t := a.types[media]; t != nil {
			s = types.Schema(t, true, t.Name())
		}
		if out.Content == nil {
			out.Content = map[string]*huma.MediaType{}
		}
		out.Content[media] = &huma.MediaType{Schema: s}
	}
	for _, h := range a.headers {
		if out.Headers == nil {
			out.Headers = map[string]*huma.Param{}
		}
		out.Headers[h] = &huma.Param{Description: headerText()[h], Schema: &huma.Schema{Type: huma.TypeString}}
	}
	return out
}
