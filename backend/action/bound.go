package action

// Bound is a trigger's parameters and target, checked against the action.
type Bound struct {
	Target Target         // zero when the action has no targets
	Public map[string]any // what the record shows: string, float64 or bool by parameter name
}
