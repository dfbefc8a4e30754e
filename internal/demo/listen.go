package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
)

// listen opens the demo's address, if it is this computer's own. It listens on
// the very address that was looked at, so that a name cannot lead elsewhere a
// moment later. The base is what people type.
func listen(ctx context.Context, addr string) (l net.Listener, base string, err error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, "", fmt.Errorf("--addr: %q is no address and port such as 127.0.0.1:8080", addr)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return nil, "", fmt.Errorf("--addr: %q does not end in a port such as 8080, or 0 for any that is free", addr)
	}
	ip, err := loopback(ctx, host)
	if err != nil {
		return nil, "", err
	}
	var config net.ListenConfig
	l, err = config.Listen(ctx, "tcp", net.JoinHostPort(ip.String(), port))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, "", fmt.Errorf("--addr: another program listens on %s already: end that one, or choose another port (--addr %s takes any that is free)",
			addr, net.JoinHostPort(host, "0"))
	}
	if err != nil {
		return nil, "", fmt.Errorf("--addr: %w", err)
	}
	if host != "localhost" {
		host = ip.String() // another name may not be this computer's to browsers
	}
	_, port, err = net.SplitHostPort(l.Addr().String())
	if err != nil {
		return nil, "", errors.Join(err, l.Close())
	}
	return l, "http://" + net.JoinHostPort(host, port), nil
}

// loopback is the loopback address of a host, all of whose addresses must be
// such. IPv4 is preferred, because browsers show it more kindly.
func loopback(ctx context.Context, host string) (netip.Addr, error) {
	elsewhere := fmt.Errorf("--addr: the demo lets everybody sign in as anybody, so it listens on this computer only (such as 127.0.0.1:8080), and %q would be reachable from elsewhere", host)
	if host == "" {
		return netip.Addr{}, elsewhere
	}
	var found []netip.Addr
	if ip, err := netip.ParseAddr(host); err == nil {
		found = []netip.Addr{ip}
	} else if found, err = net.DefaultResolver.LookupNetIP(ctx, "ip", host); err != nil || len(found) == 0 {
		return netip.Addr{}, fmt.Errorf("--addr: there is no host %q", host)
	}
	best := found[0]
	for _, ip := range found {
		if ip = ip.Unmap(); !ip.IsLoopback() {
			return netip.Addr{}, elsewhere
		}
		if ip.Is4() {
			best = ip
		}
	}
	return best, nil
}
