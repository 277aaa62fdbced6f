package action

import (
	"fmt"
	"slices"
)

// use says which parameters a template may hold.
type use string

const (
	useTargets use = "{{target.name}}"                                                    // what must stand in the catalog to the letter
	useClosed  use = "{{target.name}}, and {{params.name}} of a select"                   // what the catalog lists every value of
	usePublic  use = "{{target.name}}, and {{params.name}} of anything that is no secret" // what everybody on the machine may see
	useAll     use = "{{target.name}} and {{params.name}}"
)

// template checks the placeholders of a template. It returns nil when there is
// a fault.
func (b builder) template(a *Action, n *node, allowed use) template {
	if n == nil {
		return nil
	}
	parsed, err := parseTemplate(n.text)
	if err != nil {
		b.faults.add(n, "", "%s.", upper(err.Error()))
		return nil
	}
	sound := true
	for _, p := range parsed.places() {
		hint, fault := a.placeFault(p, allowed)
		if fault != "" && !b.loose {
			b.faults.add(n, hint, "%s", fault)
		}
		sound = sound && fault == ""
	}
	if !sound {
		return nil
	}
	return parsed
}

// placeFault says what is wrong with a placeholder.
func (a *Action) placeFault(p place, allowed use) (hint, fault string) {
	if p.Root == "target" {
		return a.targetFault(p)
	}
	at := slices.IndexFunc(a.Params, func(known Param) bool { return known.Name == p.Name })
	if at < 0 {
		known := make([]string, len(a.Params))
		for i := range a.Params {
			known[i] = a.Params[i].Name
		}
		if near := nearest(p.Name, known); near != "" {
			hint = fmt.Sprintf("Did you mean {{params.%s}}?", near)
		}
		return hint, fmt.Sprintf("%s is filled in here, but there is no such parameter.", p)
	}
	kind := a.Params[at].Type
	switch {
	case allowed == useTargets,
		allowed == useClosed && kind != SelectParam:
		return "Allowed here: " + string(allowed) + ".", fmt.Sprintf("%s cannot be filled in here.", p)
	case allowed == usePublic && kind == SecretParam:
		return `Give it to a command as a variable, under "env".`, fmt.Sprintf("%s is a secret and cannot be filled in here, where others may read it.", p)
	}
	return "", ""
}

// targetFault says what is wrong with a {{target.name}}.
func (a *Action) targetFault(p place) (hint, fault string) {
	if len(a.Targets) == 0 {
		return `Add "targets".`, fmt.Sprintf("%s is filled in here, but the action has no targets.", p)
	}
	if p.Name == "id" || p.Name == "title" {
		return "", ""
	}
	for _, t := range a.Targets {
		if _, ok := t.Values[p.Name]; ok {
			continue
		}
		known := []string{"id", "title"}
		for name := range t.Values {
			known = append(known, name)
		}
		slices.Sort(known)
		if near := nearest(p.Name, known); near != "" {
			hint = fmt.Sprintf("Did you mean {{target.%s}}?", near)
		}
		return hint, fmt.Sprintf("%s is filled in here, but target %q has no %q.", p, t.ID, p.Name)
	}
	return "", ""
}

// maxFillings is how many ways there may be to fill in a template whose every
// result is checked.
const maxFillings = 5000

// filling is one result of a template, with the target it is for.
type filling struct {
	target *Target // nil when the action has none
	text   string
}

// fillings lists every result of a template that holds targets and selects
// only, or nil when there are too many.
func (a *Action) fillings(t template) []filling {
	chosen := map[string]string{}
	var open []Param
	for _, p := range a.Params {
		if slices.Contains(t.places(), place{Root: "params", Name: p.Name}) {
			open = append(open, p)
		}
	}
	targets := []*Target{nil}
	if len(a.Targets) > 0 {
		targets = nil
		for i := range a.Targets {
			targets = append(targets, &a.Targets[i])
		}
	}
	count := len(targets)
	for _, p := range open {
		if count *= len(p.Options) + 1; count > maxFillings {
			return nil
		}
	}
	var all []filling
	var choose func(target *Target, left []Param)
	choose = func(target *Target, left []Param) {
		if len(left) == 0 {
			text := t.fill(func(p place) string {
				if p.Root == "params" {
					return chosen[p.Name]
				}
				return target.value(p.Name)
			})
			all = append(all, filling{target, text})
			return
		}
		options := left[0].Options
		if !left[0].Required && left[0].Default == nil {
			options = append(slices.Clone(options), "")
		}
		for _, option := range options {
			chosen[left[0].Name] = option
			choose(target, left[1:])
		}
	}
	for _, target := range targets {
		choose(target, open)
	}
	return all
}
