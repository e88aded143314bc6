// Node is a Kubernetes node whose pods are processes of this machine. The kubelet is the real one: it runs the probes, the
// hooks, the restarts, the volumes. Node is the runtime under it, as containerd is elsewhere: it speaks the Container
// Runtime Interface (CRI) and gives each pod an address and each container its own view of the file system.
//
// An image is a line of a table (see images.go), so nothing is built or pulled, and the code of a checkout runs as it is.
// What is not here: cgroups, so limits of CPU and memory are not enforced; seccomp and AppArmor; user namespaces.
//
// It must be the first process of a PID namespace with mounts of its own. Whoever kills it has killed the machine: pods,
// kubelet, mounts and addresses are gone with it.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"

	"google.golang.org/grpc"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func main() {
	log.SetFlags(log.Ltime | log.Lmicroseconds)
	if os.Args[0] == initName {
		log.Fatalf("unable to start the container: %v", becomeContainer())
	}
	folder := flag.String("folder", "", "where the socket of the runtime, the containers' file systems and logs go")
	images := flag.String("images", "", "the table of images, as JSON")
	pods := flag.String("pods", "", "the network that the pods' addresses are taken from: 10.88.1.0/24")
	flag.Usage = func() {
		fmt.Fprintf(os.Stderr, "usage: node -folder F -images F -pods NETWORK kubelet ...\n\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	if *folder == "" || *images == "" || *pods == "" || flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*folder, *images, *pods, flag.Args()); err != nil {
		log.Fatal(err)
	}
}

func run(folder, images, pods string, kubelet []string) error {
	network, err := netip.ParsePrefix(pods)
	if err != nil {
		return fmt.Errorf("unable to read -pods: %w", err)
	}
	table, err := readImages(images)
	if err != nil {
		return err
	}
	if err := mountScratch(folder); err != nil {
		return err
	}
	socket, err := net.Listen("unix", filepath.Join(folder, "runtime.sock"))
	if err != nil {
		return fmt.Errorf("unable to listen for the kubelet: %w", err)
	}
	server := grpc.NewServer()
	cri.RegisterImageServiceServer(server, &imageService{images: table, folder: folder})
	runtime := newRuntime(folder, table, newAddresses(network))
	cri.RegisterRuntimeServiceServer(server, runtime)
	if err := runtime.serveStreams(); err != nil {
		return err
	}
	go func() { log.Fatal(server.Serve(socket)) }()
	return runKubelet(kubelet)
}

// runKubelet keeps the kubelet as a child: one process to kill is one machine.
func runKubelet(args []string) error {
	kubelet := exec.Command(args[0], args[1:]...)
	kubelet.Stdout, kubelet.Stderr = os.Stdout, os.Stderr
	if err := kubelet.Start(); err != nil {
		return fmt.Errorf("unable to start the kubelet: %w", err)
	}
	// The first process of a PID namespace dies of no signal that it does not ask for.
	ending := make(chan os.Signal, 1)
	signal.Notify(ending, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-ending
		os.Exit(0)
	}()
	return fmt.Errorf("the kubelet ended: %w", kubelet.Wait())
}

// mountScratch puts what the node writes where nothing stays behind. The containers' file systems lie in memory, because
// an overlay cannot write below what it reads. The kubelet writes below /var at paths that no setting changes.
func mountScratch(folder string) error {
	scratch := scratchFolder(folder)
	if err := os.MkdirAll(scratch, 0o755); err != nil {
		return fmt.Errorf("unable to make the folder of containers: %w", err)
	}
	if err := syscall.Mount("tmpfs", scratch, "tmpfs", 0, "mode=755"); err != nil {
		return fmt.Errorf("unable to mount the folder of containers: %w", err)
	}
	layers, err := makeLayers(filepath.Join(scratch, "var"))
	if err != nil {
		return err
	}
	return layers.mount("/var", "/var")
}

func scratchFolder(folder string) string { return filepath.Join(folder, "containers") }
