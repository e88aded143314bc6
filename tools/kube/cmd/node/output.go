package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// output writes what a container says as the kubelet reads it: time, stream, whether the line is whole (F) or goes on (P).
type output struct {
	stdout, stderr *os.File // the container's ends
	mu             sync.Mutex
	file           *os.File
	open           sync.WaitGroup
}

// lineBytesMax is where longer lines are split, as by other runtimes.
const lineBytesMax = 16 * 1024

func openLog(path string) (*output, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("unable to make the folder of the log: %w", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("unable to open the log: %w", err)
	}
	o := &output{file: file}
	if o.stdout, err = o.stream("stdout"); err == nil {
		o.stderr, err = o.stream("stderr")
	}
	go func() {
		o.open.Wait()
		file.Close()
	}()
	return o, err
}

// stream copies until the last process that holds the container's end is gone.
func (o *output) stream(name string) (*os.File, error) {
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("unable to make a pipe: %w", err)
	}
	o.open.Add(1)
	go func() {
		defer o.open.Done()
		defer reader.Close()
		lines := bufio.NewReaderSize(reader, lineBytesMax)
		for {
			line, goesOn, err := lines.ReadLine()
			if err != nil {
				return
			}
			o.write(name, line, goesOn)
		}
	}()
	return writer, nil
}

func (o *output) write(stream string, line []byte, goesOn bool) {
	tag := "F"
	if goesOn {
		tag = "P"
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	fmt.Fprintf(o.file, "%s %s %s %s\n", time.Now().UTC().Format(time.RFC3339Nano), stream, tag, line)
}

// handOver lets go of the container's ends once it holds them itself.
func (o *output) handOver() {
	o.stdout.Close()
	o.stderr.Close()
}
