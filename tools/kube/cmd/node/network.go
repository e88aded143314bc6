package main

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	goruntime "runtime"
	"sync"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// addresses gives pods a network namespace each, with one address and one way out: a cable (veth) to the network that the
// node itself is in. Every packet is routed there, also between pods of one node, so kube-proxy sees it and what it
// rewrites on the way to a Service it can rewrite on the way back. A bridge would let replies take a short cut.
type addresses struct {
	network netip.Prefix

	mu   sync.Mutex
	last netip.Addr
	used map[netip.Addr]bool
}

type podNetwork struct {
	address   netip.Addr
	namespace *os.File
	cable     string
}

// gateway is the same for all pods: an address that nobody has, at a hardware address that is written down.
var gateway = net.IPv4(169, 254, 1, 1)

func newAddresses(network netip.Prefix) *addresses {
	return &addresses{network: network.Masked(), last: network.Masked().Addr(), used: map[netip.Addr]bool{}}
}

// take goes round, so that an address that was given back rests as long as it can: others may still have it in mind.
func (a *addresses) take() (netip.Addr, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for range 1 << (32 - a.network.Bits()) {
		a.last = a.last.Next()
		if !a.network.Contains(a.last) {
			a.last = a.network.Addr().Next()
		}
		if !a.used[a.last] {
			a.used[a.last] = true
			return a.last, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("all addresses of %v are taken", a.network)
}

func (a *addresses) giveBack(address netip.Addr) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.used, address)
}

func (a *addresses) connect() (*podNetwork, error) {
	address, err := a.take()
	if err != nil {
		return nil, err
	}
	numbers := address.As4()
	pod := &podNetwork{address: address, cable: fmt.Sprintf("pod-%d-%d", numbers[2], numbers[3])}
	if pod.namespace, err = newNetworkNamespace(); err == nil {
		err = pod.plug()
	}
	if err != nil {
		a.disconnect(pod)
		return nil, err
	}
	return pod, nil
}

// disconnect pulls the cable. The namespace goes when the last process in it has gone.
func (a *addresses) disconnect(pod *podNetwork) {
	if cable, err := netlink.LinkByName(pod.cable); err == nil {
		netlink.LinkDel(cable)
	}
	if pod.namespace != nil {
		pod.namespace.Close()
	}
	a.giveBack(pod.address)
}

// newNetworkNamespace makes a namespace that lives as long as the file is open.
func newNetworkNamespace() (*os.File, error) {
	type result struct {
		file *os.File
		err  error
	}
	made := make(chan result)
	go func() {
		// The thread is not unlocked: it ends with the goroutine, and nothing else ever runs in its namespace.
		goruntime.LockOSThread()
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			made <- result{err: fmt.Errorf("unable to make a network namespace: %w", err)}
			return
		}
		file, err := os.Open("/proc/thread-self/ns/net")
		made <- result{file, err}
	}()
	r := <-made
	return r.file, r.err
}

// plug lays the cable and sets up both of its ends.
func (pod *podNetwork) plug() error {
	cable := &netlink.Veth{
		LinkAttrs:     netlink.LinkAttrs{Name: pod.cable, TxQLen: 1000},
		PeerName:      "eth0",
		PeerNamespace: netlink.NsFd(pod.namespace.Fd()),
	}
	if err := netlink.LinkAdd(cable); err != nil {
		return fmt.Errorf("unable to lay a cable: %w", err)
	}
	outside, err := netlink.LinkByName(pod.cable)
	if err != nil {
		return fmt.Errorf("unable to find the cable: %w", err)
	}
	inside, err := netlink.NewHandleAt(netns.NsHandle(pod.namespace.Fd()))
	if err != nil {
		return fmt.Errorf("unable to look into the pod's network: %w", err)
	}
	defer inside.Close()
	ip := net.IP(pod.address.AsSlice())
	hardware, err := pod.setUpInside(inside, ip, outside.Attrs().HardwareAddr)
	if err != nil {
		return fmt.Errorf("unable to set up the pod's network: %w", err)
	}
	return first(
		func() error { return netlink.LinkSetUp(outside) },
		func() error { return netlink.NeighSet(neighbour(outside, ip, hardware)) },
		func() error { return netlink.RouteAdd(&netlink.Route{LinkIndex: outside.Attrs().Index, Dst: only(ip)}) },
	)
}

func (pod *podNetwork) setUpInside(inside *netlink.Handle, ip net.IP, outside net.HardwareAddr) (net.HardwareAddr, error) {
	loopback, err := inside.LinkByName("lo")
	if err != nil {
		return nil, err
	}
	eth0, err := inside.LinkByName("eth0")
	if err != nil {
		return nil, err
	}
	index := eth0.Attrs().Index
	return eth0.Attrs().HardwareAddr, first(
		func() error { return inside.LinkSetUp(loopback) },
		func() error { return inside.AddrAdd(eth0, &netlink.Addr{IPNet: only(ip)}) },
		func() error { return inside.LinkSetUp(eth0) },
		func() error { return inside.NeighSet(neighbour(eth0, gateway, outside)) },
		func() error {
			return inside.RouteAdd(&netlink.Route{LinkIndex: index, Dst: only(gateway), Scope: netlink.SCOPE_LINK})
		},
		func() error { return inside.RouteAdd(&netlink.Route{LinkIndex: index, Gw: gateway}) },
	)
}

func neighbour(link netlink.Link, ip net.IP, hardware net.HardwareAddr) *netlink.Neigh {
	return &netlink.Neigh{
		LinkIndex:    link.Attrs().Index,
		IP:           ip,
		HardwareAddr: hardware,
		State:        netlink.NUD_PERMANENT,
	}
}

func only(ip net.IP) *net.IPNet { return &net.IPNet{IP: ip, Mask: net.CIDRMask(32, 32)} }

// first does one step after the other until one fails.
func first(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}
