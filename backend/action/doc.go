// Package action is the catalog: what may run here. It loads the catalog file,
// says everything that is wrong with it at once, and binds the parameters of a
// trigger to an action. Nothing in it starts anything.
package action
