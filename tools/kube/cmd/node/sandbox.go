package main

import (
	"context"
	"log"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// sandbox is what the containers of one pod share: an address, a host name, a list of name servers.
type sandbox struct {
	id      string
	config  *cri.PodSandboxConfig
	created time.Time
	network *podNetwork // nil for a pod in the network of its node
	folder  string
	stopped atomic.Bool
}

func (s *sandbox) state() cri.PodSandboxState {
	if s.stopped.Load() {
		return cri.PodSandboxState_SANDBOX_NOTREADY
	}
	return cri.PodSandboxState_SANDBOX_READY
}

// ip is empty for a pod in the network of its node: then the kubelet tells the node's own.
func (s *sandbox) ip() string {
	if s.network == nil {
		return ""
	}
	return s.network.address.String()
}

func (s *sandbox) resolvConf() string { return filepath.Join(s.folder, "resolv.conf") }

func (s *sandbox) name() string { return s.config.Metadata.Namespace + "/" + s.config.Metadata.Name }

func (r *runtime) RunPodSandbox(_ context.Context, request *cri.RunPodSandboxRequest) (*cri.RunPodSandboxResponse, error) {
	id := newID()
	s := &sandbox{
		id:      id,
		config:  request.Config,
		created: time.Now(),
		folder:  filepath.Join(scratchFolder(r.folder), id[:12]),
	}
	if err := os.MkdirAll(s.folder, 0o755); err != nil {
		return nil, status.Errorf(codes.Internal, "unable to make the sandbox's folder: %v", err)
	}
	if err := os.WriteFile(s.resolvConf(), []byte(resolvConf(s.config.DnsConfig)), 0o644); err != nil {
		return nil, status.Errorf(codes.Internal, "unable to write the sandbox's name servers: %v", err)
	}
	if s.config.GetLinux().GetSecurityContext().GetNamespaceOptions().GetNetwork() != cri.NamespaceMode_NODE {
		network, err := r.addresses.connect()
		if err != nil {
			return nil, status.Errorf(codes.Internal, "unable to connect %s: %v", s.name(), err)
		}
		s.network = network
	}
	r.mu.Lock()
	r.sandboxes[id] = s
	r.mu.Unlock()
	log.Printf("%s has %s", s.name(), s.ip())
	return &cri.RunPodSandboxResponse{PodSandboxId: id}, nil
}

// StopPodSandbox ends what is left at once: the kubelet has stopped the containers in their own time before.
func (r *runtime) StopPodSandbox(_ context.Context, request *cri.StopPodSandboxRequest) (*cri.StopPodSandboxResponse, error) {
	s := r.sandbox(request.PodSandboxId)
	if s == nil || s.stopped.Swap(true) {
		return &cri.StopPodSandboxResponse{}, nil
	}
	for _, c := range r.containersOf(s) {
		c.kill()
	}
	if s.network != nil {
		r.addresses.disconnect(s.network)
	}
	return &cri.StopPodSandboxResponse{}, nil
}

func (r *runtime) RemovePodSandbox(ctx context.Context, request *cri.RemovePodSandboxRequest) (*cri.RemovePodSandboxResponse, error) {
	s := r.sandbox(request.PodSandboxId)
	if s == nil {
		return &cri.RemovePodSandboxResponse{}, nil
	}
	if _, err := r.StopPodSandbox(ctx, &cri.StopPodSandboxRequest{PodSandboxId: s.id}); err != nil {
		return nil, err
	}
	for _, c := range r.containersOf(s) {
		r.remove(c)
	}
	r.mu.Lock()
	delete(r.sandboxes, s.id)
	r.mu.Unlock()
	if err := os.RemoveAll(s.folder); err != nil {
		return nil, status.Errorf(codes.Internal, "unable to remove the sandbox: %v", err)
	}
	return &cri.RemovePodSandboxResponse{}, nil
}

func resolvConf(dns *cri.DNSConfig) string {
	var text strings.Builder
	for _, server := range dns.GetServers() {
		text.WriteString("nameserver " + server + "\n")
	}
	if searches := dns.GetSearches(); len(searches) > 0 {
		text.WriteString("search " + strings.Join(searches, " ") + "\n")
	}
	if options := dns.GetOptions(); len(options) > 0 {
		text.WriteString("options " + strings.Join(options, " ") + "\n")
	}
	return text.String()
}
