package main

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// layers are where an overlay keeps what is written to it, so that what lies below stays as it is.
type layers struct{ Upper, Work string }

func makeLayers(folder string) (layers, error) {
	made := layers{Upper: filepath.Join(folder, "upper"), Work: filepath.Join(folder, "work")}
	for _, path := range []string{made.Upper, made.Work} {
		if err := os.MkdirAll(path, 0o755); err != nil {
			return layers{}, fmt.Errorf("unable to make the layers of an overlay: %w", err)
		}
	}
	return made, nil
}

func (l layers) mount(below, target string) error {
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", below, l.Upper, l.Work)
	if err := unix.Mount("overlay", target, "overlay", 0, options); err != nil {
		return fmt.Errorf("unable to lay an overlay over %s: %w", below, err)
	}
	return nil
}
