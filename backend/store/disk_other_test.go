//go:build !linux

package store_test

import "errors"

func fullLife(string) error { return errors.New("a disk can only be filled on Linux") }
