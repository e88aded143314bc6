package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"syscall"

	securejoin "github.com/cyphar/filepath-securejoin"
	"golang.org/x/sys/unix"
)

// initName is what this program is called as when it is to become a container.
const initName = "container-init"

// The files that a container's first process is born with, besides its output.
const (
	specFile = iota + 3
	complaintsFile
	networkFile // missing for a pod in the network of its node
)

// containerSpec says what a container is to be.
type containerSpec struct {
	Below           string // what its root file system shows until something is written over it
	Layers          layers
	Root            string // where that is mounted
	ReadOnly        bool
	Mounts          []mount
	HostName        string
	Command         []string
	Folder          string
	Env             []string
	UID, GID        int
	Groups          []int
	NoNewPrivileges bool
	NoCapabilities  bool
}

// mount shows a file or a folder of the node at a path of the container.
type mount struct {
	From, To string
	ReadOnly bool
}

// becomeContainer is the container's first process, in namespaces that are still as the node's were. It returns only if
// it failed, and then the node has been told why.
func becomeContainer() error {
	// Namespaces and privileges belong to a thread; the one that makes them is the one that must go on to the program.
	goruntime.LockOSThread()
	syscall.CloseOnExec(complaintsFile)
	err := readAndBecome()
	fmt.Fprint(os.NewFile(complaintsFile, "complaints"), err)
	return err
}

func readAndBecome() error {
	var spec containerSpec
	file := os.NewFile(specFile, "spec")
	if err := json.NewDecoder(file).Decode(&spec); err != nil {
		return fmt.Errorf("unable to read what to become: %w", err)
	}
	file.Close()
	return first(
		joinNetwork,
		func() error { return unix.Sethostname([]byte(spec.HostName)) },
		spec.enterRoot,
		spec.dropPrivileges,
		spec.run,
	)
}

func joinNetwork() error {
	if _, err := unix.FcntlInt(networkFile, unix.F_GETFD, 0); err != nil {
		return nil
	}
	if err := unix.Setns(networkFile, unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("unable to join the pod's network: %w", err)
	}
	return unix.Close(networkFile)
}

// enterRoot builds the container's file system and leaves the node's behind.
func (spec *containerSpec) enterRoot() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("unable to keep mounts to ourselves: %w", err)
	}
	if err := spec.Layers.mount(spec.Below, spec.Root); err != nil {
		return err
	}
	system := []mount{{From: "/dev", To: "/dev"}, {From: "/sys", To: "/sys", ReadOnly: true}}
	for _, m := range append(system, spec.Mounts...) {
		if err := m.make(spec.Root); err != nil {
			return fmt.Errorf("unable to mount %s: %w", m.To, err)
		}
	}
	return first(
		func() error { return unix.Mount("proc", filepath.Join(spec.Root, "proc"), "proc", 0, "") },
		func() error { return unix.Chdir(spec.Root) },
		// The old root lands on top of the new one and is taken off: no folder is needed to put it.
		func() error { return unix.PivotRoot(".", ".") },
		func() error { return unix.Unmount(".", unix.MNT_DETACH) },
		func() error { return unix.Chdir("/") },
		spec.protectRoot,
	)
}

func (spec *containerSpec) protectRoot() error {
	if !spec.ReadOnly {
		return nil
	}
	return unix.Mount("", "/", "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, "")
}

// make follows the links of the container's file system, never out of it.
func (m mount) make(root string) error {
	target, err := securejoin.SecureJoin(root, m.To)
	if err != nil {
		return err
	}
	from, err := os.Stat(m.From)
	if err != nil {
		return err
	}
	if err := makePlace(target, from.IsDir()); err != nil {
		return err
	}
	if err := unix.Mount(m.From, target, "", unix.MS_BIND|unix.MS_REC, ""); err != nil || !m.ReadOnly {
		return err
	}
	return unix.Mount("", target, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, "")
}

func makePlace(path string, folder bool) error {
	if folder {
		return os.MkdirAll(path, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	return file.Close()
}

func (spec *containerSpec) dropPrivileges() error {
	if err := raiseFileLimit(); err != nil {
		return fmt.Errorf("unable to raise the limit of files: %w", err)
	}
	if spec.NoCapabilities {
		for capability := uintptr(0); capability <= unix.CAP_LAST_CAP; capability++ {
			if err := unix.Prctl(unix.PR_CAPBSET_DROP, capability, 0, 0, 0); err != nil && err != unix.EINVAL {
				return fmt.Errorf("unable to drop capability %d: %w", capability, err)
			}
		}
	}
	if spec.NoNewPrivileges {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return fmt.Errorf("unable to forbid new privileges: %w", err)
		}
	}
	return first(
		spec.ownOutput,
		func() error { return syscall.Setgroups(spec.Groups) },
		func() error { return syscall.Setgid(spec.GID) },
		func() error { return syscall.Setuid(spec.UID) },
	)
}

// ownOutput lets the container open its own output once more, as /dev/stdout.
func (spec *containerSpec) ownOutput() error {
	for _, file := range []*os.File{os.Stdout, os.Stderr} {
		if err := file.Chown(spec.UID, spec.GID); err != nil {
			return fmt.Errorf("unable to hand over the output: %w", err)
		}
	}
	return nil
}

// filesMax is what other runtimes give: a gateway holds a socket for each connection.
const filesMax = 1_048_576

// raiseFileLimit goes as far as the machine lets it.
func raiseFileLimit() error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	limit.Max = min(limit.Max, filesMax)
	limit.Cur = limit.Max
	return unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
}

func (spec *containerSpec) run() error {
	if len(spec.Command) == 0 {
		return fmt.Errorf("neither the image nor the pod says what to run")
	}
	if err := os.Chdir(spec.Folder); err != nil {
		return fmt.Errorf("unable to enter the working folder: %w", err)
	}
	for _, e := range spec.Env {
		if path, found := strings.CutPrefix(e, "PATH="); found {
			os.Setenv("PATH", path)
		}
	}
	program, err := exec.LookPath(spec.Command[0])
	if err != nil {
		return err
	}
	return syscall.Exec(program, spec.Command, spec.Env)
}
