//go:build unix

package app

const anyModeAllowed = false
