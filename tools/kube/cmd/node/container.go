package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// container is a process with a file system and process numbers of its own, in the network of its sandbox.
type container struct {
	id        string
	config    *cri.ContainerConfig
	sandbox   *sandbox
	image     image
	imageName string
	created   time.Time
	folder    string
	logs      string        // where logs are kept
	ended     chan struct{} // closed when the process is gone

	mu       sync.Mutex
	pid      int // 0 before the start
	started  time.Time
	finished time.Time
	exitCode int32
}

func (r *runtime) CreateContainer(_ context.Context, request *cri.CreateContainerRequest) (*cri.CreateContainerResponse, error) {
	s := r.sandbox(request.PodSandboxId)
	if s == nil {
		return nil, status.Errorf(codes.NotFound, "no sandbox %s", request.PodSandboxId)
	}
	reference := request.Config.GetImage().GetImage()
	imageName, image, ok := r.images.find(reference)
	if !ok {
		return nil, status.Errorf(codes.NotFound, "no image %s in the table of this node", reference)
	}
	id := newID()
	c := &container{
		id:        id,
		config:    request.Config,
		sandbox:   s,
		image:     image,
		imageName: imageName,
		created:   time.Now(),
		folder:    filepath.Join(scratchFolder(r.folder), id[:12]),
		logs:      filepath.Join(r.folder, "logs"),
		ended:     make(chan struct{}),
	}
	r.mu.Lock()
	r.containers[id] = c
	r.mu.Unlock()
	return &cri.CreateContainerResponse{ContainerId: id}, nil
}

func (r *runtime) StartContainer(_ context.Context, request *cri.StartContainerRequest) (*cri.StartContainerResponse, error) {
	c, err := r.container(request.ContainerId)
	if err != nil {
		return nil, err
	}
	if err := c.start(); err != nil {
		return nil, status.Errorf(codes.Unknown, "unable to start the container: %v", err)
	}
	return &cri.StartContainerResponse{}, nil
}

func (r *runtime) StopContainer(ctx context.Context, request *cri.StopContainerRequest) (*cri.StopContainerResponse, error) {
	c, err := r.container(request.ContainerId)
	if err != nil {
		return &cri.StopContainerResponse{}, nil // as the interface asks: it is stopped already
	}
	if request.Timeout > 0 && c.signal(syscall.SIGTERM) {
		select {
		case <-c.ended:
		case <-ctx.Done():
		case <-time.After(time.Duration(request.Timeout) * time.Second):
			log.Printf("%s %s did not end within %d s", c.sandbox.name(), c.config.Metadata.Name, request.Timeout)
		}
	}
	c.kill()
	return &cri.StopContainerResponse{}, nil
}

func (r *runtime) RemoveContainer(_ context.Context, request *cri.RemoveContainerRequest) (*cri.RemoveContainerResponse, error) {
	if c, err := r.container(request.ContainerId); err == nil {
		r.remove(c)
	}
	return &cri.RemoveContainerResponse{}, nil
}

func (r *runtime) remove(c *container) {
	c.kill()
	r.mu.Lock()
	delete(r.containers, c.id)
	r.mu.Unlock()
	if err := os.RemoveAll(c.folder); err != nil {
		log.Printf("unable to remove a container: %v", err)
	}
}

// start runs this very program once more, in new namespaces, where it becomes the container (init.go). What keeps it
// from that comes back through a pipe that closes when the container's own program takes over.
func (c *container) start() error {
	spec, err := c.spec()
	if err != nil {
		return err
	}
	output, err := openLog(c.logPath())
	if err == nil {
		err = c.keepLog()
	}
	if err != nil {
		return err
	}
	specReader, specWriter, err := os.Pipe()
	if err != nil {
		return err
	}
	complaints, complaintsWriter, err := os.Pipe()
	if err != nil {
		return err
	}
	defer complaints.Close()
	command := &exec.Cmd{
		Path:        "/proc/self/exe",
		Args:        []string{initName},
		Stdout:      output.stdout,
		Stderr:      output.stderr,
		ExtraFiles:  []*os.File{specReader, complaintsWriter, c.networkNamespace()},
		SysProcAttr: &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC},
	}
	err = command.Start()
	specReader.Close()
	complaintsWriter.Close()
	output.handOver()
	if err != nil {
		specWriter.Close()
		return err
	}
	c.mu.Lock()
	c.pid, c.started = command.Process.Pid, time.Now()
	c.mu.Unlock()
	go c.wait(command)
	err = json.NewEncoder(specWriter).Encode(spec)
	specWriter.Close()
	complaint, readError := io.ReadAll(complaints)
	if len(complaint) > 0 {
		return errors.New(string(complaint))
	}
	return errors.Join(err, readError)
}

func (c *container) wait(command *exec.Cmd) {
	command.Wait()
	c.mu.Lock()
	c.finished = time.Now()
	how := command.ProcessState.Sys().(syscall.WaitStatus)
	c.exitCode = int32(how.ExitStatus())
	if how.Signaled() {
		c.exitCode = 128 + int32(how.Signal())
	}
	c.mu.Unlock()
	close(c.ended)
}

// signal tells whether there is still somebody to hear it.
func (c *container) signal(signal syscall.Signal) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pid != 0 && c.finished.IsZero() && syscall.Kill(c.pid, signal) == nil
}

// kill ends all processes of the container: the first one takes the others with it.
func (c *container) kill() {
	if c.signal(syscall.SIGKILL) {
		<-c.ended
	}
}

func (c *container) logPath() string {
	return filepath.Join(c.sandbox.config.LogDirectory, c.config.LogPath)
}

// keepLog gives the log a second name, out of the kubelet's way: it removes the logs of pods that are gone.
func (c *container) keepLog() error {
	kept := filepath.Join(c.logs, filepath.Base(c.sandbox.config.LogDirectory), c.config.LogPath)
	if err := os.MkdirAll(filepath.Dir(kept), 0o755); err != nil {
		return err
	}
	return os.Link(c.logPath(), kept)
}

func (c *container) networkNamespace() *os.File {
	if c.sandbox.network == nil {
		return nil
	}
	return c.sandbox.network.namespace
}

func (c *container) spec() (containerSpec, error) {
	root := c.image.Root
	if root == "" {
		root = "/"
	}
	written, err := makeLayers(c.folder)
	if err != nil {
		return containerSpec{}, err
	}
	target := filepath.Join(c.folder, "root")
	if err := os.MkdirAll(target, 0o755); err != nil {
		return containerSpec{}, err
	}
	security := c.config.GetLinux().GetSecurityContext()
	spec := containerSpec{
		Below:           root,
		Layers:          written,
		Root:            target,
		ReadOnly:        security.GetReadonlyRootfs(),
		HostName:        c.sandbox.config.Hostname,
		Command:         c.command(),
		Folder:          firstOf(c.config.WorkingDir, c.image.WorkingFolder, "/"),
		Env:             c.env(),
		NoNewPrivileges: security.GetNoNewPrivs(),
		NoCapabilities:  slices.Contains(security.GetCapabilities().GetDropCapabilities(), "ALL"),
	}
	spec.UID, spec.GID = c.user()
	for _, group := range security.GetSupplementalGroups() {
		spec.Groups = append(spec.Groups, int(group))
	}
	for _, to := range slices.Sorted(maps.Keys(c.image.Folders)) {
		spec.Mounts = append(spec.Mounts, mount{From: c.image.Folders[to], To: to, ReadOnly: true})
	}
	spec.Mounts = append(spec.Mounts, mount{From: c.sandbox.resolvConf(), To: "/etc/resolv.conf"})
	for _, m := range c.config.Mounts {
		spec.Mounts = append(spec.Mounts, mount{From: m.HostPath, To: m.ContainerPath, ReadOnly: m.Readonly})
	}
	return spec, nil
}

// command is put together as for any image: what the pod gives as `command` replaces all, `args` is appended.
func (c *container) command() []string {
	command := c.config.Command
	if len(command) == 0 {
		command = c.image.Command
	}
	return append(slices.Clone(command), c.config.Args...)
}

// env is that of the image, then that of the pod: of two with one name the last one counts.
func (c *container) env() []string {
	env := []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=" + c.sandbox.config.Hostname}
	for _, name := range slices.Sorted(maps.Keys(c.image.Env)) {
		env = append(env, name+"="+c.image.Env[name])
	}
	for _, e := range c.config.Envs {
		env = append(env, e.Key+"="+string(e.Value))
	}
	return env
}

func (c *container) user() (uid, gid int) {
	security := c.config.GetLinux().GetSecurityContext()
	uid = int(c.image.UID)
	if user := security.GetRunAsUser(); user != nil {
		uid = int(user.Value)
	}
	gid = uid
	if group := security.GetRunAsGroup(); group != nil {
		gid = int(group.Value)
	}
	return uid, gid
}

func (c *container) status() *cri.ContainerStatus {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &cri.ContainerStatus{
		Id:          c.id,
		Metadata:    c.config.Metadata,
		State:       cri.ContainerState_CONTAINER_CREATED,
		CreatedAt:   c.created.UnixNano(),
		Image:       c.config.Image,
		ImageRef:    c.imageName,
		ImageId:     c.imageName,
		Labels:      c.config.Labels,
		Annotations: c.config.Annotations,
		Mounts:      c.config.Mounts,
		LogPath:     c.logPath(),
	}
	if !c.started.IsZero() {
		s.State, s.StartedAt = cri.ContainerState_CONTAINER_RUNNING, c.started.UnixNano()
	}
	if !c.finished.IsZero() {
		s.State, s.FinishedAt, s.ExitCode = cri.ContainerState_CONTAINER_EXITED, c.finished.UnixNano(), c.exitCode
		s.Reason = "Completed"
		if c.exitCode != 0 {
			s.Reason = "Error"
		}
	}
	return s
}

func firstOf(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}
