package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
	"k8s.io/cri-streaming/pkg/streaming"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"
)

// command is one that runs inside of a container, beside its own: for exec probes, hooks, kubectl exec.
func (c *container) inside(ctx context.Context, args []string) (*exec.Cmd, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pid == 0 || !c.finished.IsZero() {
		return nil, status.Errorf(codes.FailedPrecondition, "the container does not run")
	}
	uid, gid := c.user()
	enter := []string{
		"--target", strconv.Itoa(c.pid), "--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wd",
		"--setgid", strconv.Itoa(gid), "--setuid", strconv.Itoa(uid), "--",
	}
	command := exec.CommandContext(ctx, "nsenter", append(enter, args...)...)
	command.Env = c.env()
	// nsenter forks, so that ending it alone would leave the command behind.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	command.WaitDelay = time.Second
	return command, nil
}

func (r *runtime) ExecSync(ctx context.Context, request *cri.ExecSyncRequest) (*cri.ExecSyncResponse, error) {
	c, err := r.container(request.ContainerId)
	if err != nil {
		return nil, err
	}
	if request.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(request.Timeout)*time.Second)
		defer cancel()
	}
	command, err := c.inside(ctx, request.Cmd)
	if err != nil {
		return nil, err
	}
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	err = command.Run()
	if ctx.Err() != nil {
		return nil, status.Errorf(codes.DeadlineExceeded, "not within %d s: %v", request.Timeout, request.Cmd)
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return nil, status.Errorf(codes.Internal, "unable to run %v: %v", request.Cmd, err)
	}
	code := int32(command.ProcessState.ExitCode())
	return &cri.ExecSyncResponse{Stdout: stdout.Bytes(), Stderr: stderr.Bytes(), ExitCode: code}, nil
}

// streams are what kubectl exec and port-forward talk to, through the API server and the kubelet.
type streams struct{ runtime *runtime }

func (r *runtime) serveStreams() error {
	config := streaming.DefaultConfig
	config.Addr = "127.0.0.1:0"
	server, err := streaming.NewServer(config, streams{r})
	if err != nil {
		return fmt.Errorf("unable to serve streams: %w", err)
	}
	r.streams = server
	go func() { log.Fatal(server.Start(true)) }()
	return nil
}

func (r *runtime) Exec(_ context.Context, request *cri.ExecRequest) (*cri.ExecResponse, error) {
	return r.streams.GetExec(request)
}

func (r *runtime) PortForward(_ context.Context, request *cri.PortForwardRequest) (*cri.PortForwardResponse, error) {
	return r.streams.GetPortForward(request)
}

func (s streams) Exec(ctx context.Context, id string, args []string, in io.Reader, out, err io.WriteCloser, tty bool, _ <-chan remotecommand.TerminalSize) error {
	if tty {
		return errors.New("no terminals here: leave out --tty")
	}
	c, notFound := s.runtime.container(id)
	if notFound != nil {
		return notFound
	}
	command, notRunning := c.inside(ctx, args)
	if notRunning != nil {
		return notRunning
	}
	command.Stdin, command.Stdout, command.Stderr = in, out, err
	ended := command.Run()
	var exit *exec.ExitError
	if errors.As(ended, &exit) {
		return utilexec.CodeExitError{Err: ended, Code: exit.ExitCode()}
	}
	return ended
}

func (s streams) Attach(context.Context, string, io.Reader, io.WriteCloser, io.WriteCloser, bool, <-chan remotecommand.TerminalSize) error {
	return errors.New("unable to attach: containers here have no input")
}

// PortForward reaches what listens at the pod's address, not what listens at its loopback alone.
func (s streams) PortForward(_ context.Context, id string, port int32, stream io.ReadWriteCloser) error {
	pod := s.runtime.sandbox(id)
	if pod == nil || pod.network == nil {
		return fmt.Errorf("no pod with an address of its own: %s", id)
	}
	connection, err := net.Dial("tcp", net.JoinHostPort(pod.ip(), strconv.Itoa(int(port))))
	if err != nil {
		return err
	}
	defer connection.Close()
	done := make(chan struct{}, 2)
	relay := func(to io.Writer, from io.Reader) {
		io.Copy(to, from)
		done <- struct{}{}
	}
	go relay(connection, stream)
	go relay(stream, connection)
	<-done
	return nil
}
