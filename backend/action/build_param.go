package action

import (
	"slices"
	"strings"
)

// param builds one parameter and holds its default against itself.
func (b builder) param(e entry) Param {
	n := e.node
	p := Param{
		Name:        e.name,
		Title:       or(n.get("title").string(), e.name),
		Description: n.get("description").string(),
		Type:        ParamType(or(n.get("type").string(), string(TextParam))),
		Required:    n.get("required").bool(),
		Pattern:     n.get("pattern").string(),
		Min:         n.get("min").number(),
		Max:         n.get("max").number(),
		Integer:     n.get("integer").bool(),
		AllowDash:   n.get("allow_dash").bool(),
	}
	if isReserved(p.Name) {
		b.faults.add(e.key, "", "The name %q is reserved and cannot be a parameter.", p.Name)
	}
	if at := n.get("under"); at != nil {
		p.Under = b.absolute(at)
	}
	b.misplaced(p.Type, n)
	b.options(&p, n)
	if at := n.get("pattern"); at != nil {
		if _, err := wholePattern(p.Pattern); err != nil {
			b.faults.add(at, "It is a regular expression as RE2 reads it: no look-around, no back references.", "The pattern cannot be read: %s.", strings.TrimPrefix(err.Error(), "pattern: error parsing regexp: "))
			p.Pattern = ""
		}
	}
	if p.Min != nil && p.Max != nil && *p.Min > *p.Max {
		b.faults.add(n.get("min"), "", `"min" is greater than "max".`)
	}
	b.standard(&p, n.get("default"))
	return p
}

// misplaced notes keys that mean nothing for the type.
func (b builder) misplaced(t ParamType, n *node) {
	of := map[string][]ParamType{
		"options":    {SelectParam},
		"pattern":    {TextParam},
		"min":        {NumberParam, TextParam, SecretParam},
		"max":        {NumberParam, TextParam, SecretParam},
		"integer":    {NumberParam},
		"allow_dash": {TextParam},
		"under":      {TextParam},
		"default":    {TextParam, NumberParam, BooleanParam, SelectParam},
		"required":   {TextParam, NumberParam, SelectParam, SecretParam},
	}
	for _, e := range n.entries() {
		if types, bound := of[e.name]; bound && !slices.Contains(types, t) {
			words := make([]string, len(types))
			for i, t := range types {
				words[i] = string(t)
			}
			b.faults.add(e.key, "", "%q means nothing for the type %s, only for %s.", e.name, t, inWords(words))
		}
	}
}

// options reads what a select offers.
func (b builder) options(p *Param, n *node) {
	at := n.get("options")
	if p.Type != SelectParam {
		return
	}
	if at == nil && !slices.Contains(n.lost, "options") {
		b.faults.add(n, `Add "options: [one, two]".`, "A select needs options.")
	}
	for _, item := range at.list() {
		switch {
		case slices.Contains(p.Options, item.text):
			b.faults.add(item, "", "The option %q is here twice.", item.text)
		case strings.ContainsFunc(item.text, isInvisible) || item.text == "":
			b.faults.add(item, "", "An option must be one line of visible text.")
		default:
			p.Options = append(p.Options, item.text)
		}
	}
}

// standard reads the default and checks it as if somebody had sent it.
func (b builder) standard(p *Param, at *node) {
	if at == nil || p.Type == SecretParam || p.Type == SelectParam && len(p.Options) == 0 {
		return
	}
	var value any = at.text
	if at.form == booleanForm {
		value = strings.EqualFold(at.text, "true")
	}
	if p.Type == TextParam || p.Type == SelectParam {
		value = at.text
	}
	probe := *p
	probe.Under, probe.Required = "", false // the folder may come later
	bound, fault := probe.bind(value)
	if fault != "" || bound == nil {
		b.faults.add(at, or(fault, "Leave it out."), "The default of %q is not a value it may have.", p.Name)
		return
	}
	p.Default = bound
}
