// Ten tasks of a program that controls VPP, with GoVPP. Arguments: the API socket, and perhaps another VPP's.
//
// The book puts them beside those of examples/ten_tasks.rs (docs/book/src/from-govpp.md). To compile it:
//
//	go mod init tasks && go get go.fd.io/govpp@latest && go build
package main

// ANCHOR: use
import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strings"
	"time"

	"go.fd.io/govpp"
	"go.fd.io/govpp/api"
	"go.fd.io/govpp/binapi/fib_types"
	interfaces "go.fd.io/govpp/binapi/interface"
	"go.fd.io/govpp/binapi/interface_types"
	"go.fd.io/govpp/binapi/ip"
	"go.fd.io/govpp/binapi/ip_types"
	"go.fd.io/govpp/binapi/vpe"
	"go.fd.io/govpp/core"
)

// ANCHOR_END: use

// ANCHOR: connect
func connect(socket string) (*core.Connection, error) {
	return govpp.Connect(socket)
}

// ANCHOR_END: connect

// ANCHOR: version
func version(ctx context.Context, conn api.Connection) (string, error) {
	reply, err := vpe.NewServiceClient(conn).ShowVersion(ctx, &vpe.ShowVersion{})
	if err != nil {
		return "", err
	}
	return reply.Version, nil
}

// ANCHOR_END: version

// ANCHOR: loopback
func createLoopback(ctx context.Context, conn api.Connection) (interface_types.InterfaceIndex, error) {
	client := interfaces.NewServiceClient(conn)
	reply, err := client.CreateLoopback(ctx, &interfaces.CreateLoopback{})
	if err != nil {
		return 0, err
	}
	_, err = client.SwInterfaceSetFlags(ctx, &interfaces.SwInterfaceSetFlags{
		SwIfIndex: reply.SwIfIndex,
		Flags:     interface_types.IF_STATUS_API_FLAG_ADMIN_UP,
	})
	return reply.SwIfIndex, err
}

// ANCHOR_END: loopback

// ANCHOR: interfaces
func listInterfaces(ctx context.Context, conn api.Connection) ([]string, error) {
	stream, err := interfaces.NewServiceClient(conn).SwInterfaceDump(ctx, &interfaces.SwInterfaceDump{
		SwIfIndex: ^interface_types.InterfaceIndex(0),
	})
	if err != nil {
		return nil, err
	}
	var names []string
	for {
		details, err := stream.Recv()
		if err == io.EOF {
			return names, nil
		}
		if err != nil {
			return nil, err
		}
		names = append(names, details.InterfaceName)
	}
}

// ANCHOR_END: interfaces

// ANCHOR: route
func route(prefix ip_types.Prefix, loopback interface_types.InterfaceIndex) *ip.IPRouteAddDelV2 {
	return &ip.IPRouteAddDelV2{
		IsAdd: true,
		Route: ip.IPRouteV2{
			Prefix: prefix,
			Paths: []fib_types.FibPath{{
				SwIfIndex: uint32(loopback),
				Weight:    1,
				Proto:     fib_types.FIB_API_PATH_NH_PROTO_IP4,
				Nh: fib_types.FibPathNh{
					Address:            ip_types.AddressUnionIP4(ip_types.IP4Address{10, 0, 0, 2}),
					ObjID:              ^uint32(0),
					ClassifyTableIndex: ^uint32(0),
				},
			}},
		},
	}
}

func addRoute(ctx context.Context, conn api.Connection, loopback interface_types.InterfaceIndex) error {
	prefix, err := ip_types.ParsePrefix("10.1.0.0/16")
	if err != nil {
		return err
	}
	_, err = ip.NewServiceClient(conn).IPRouteAddDelV2(ctx, route(prefix, loopback))
	return err
}

// ANCHOR_END: route

// ANCHOR: routes
func addRoutes(ctx context.Context, conn api.Connection, loopback interface_types.InterfaceIndex, count int) (int, error) {
	const window = 256
	stream, err := conn.NewStream(ctx, core.WithRequestSize(window), core.WithReplySize(window))
	if err != nil {
		return 0, err
	}
	defer stream.Close()
	receive := func() error {
		message, err := stream.RecvMsg()
		if err != nil {
			return err
		}
		reply, ok := message.(*ip.IPRouteAddDelV2Reply)
		if !ok {
			return fmt.Errorf("unexpected %s", message.GetMessageName())
		}
		return api.RetvalToVPPApiError(reply.Retval)
	}
	for i := 0; i < count; i++ {
		if i >= window {
			if err := receive(); err != nil {
				return 0, err
			}
		}
		address := net.IPv4(11, byte(i>>16), byte(i>>8), byte(i))
		prefix := ip_types.Prefix{Address: ip_types.NewAddress(address), Len: 32}
		if err := stream.SendMsg(route(prefix, loopback)); err != nil {
			return 0, err
		}
	}
	for i := 0; i < min(count, window); i++ {
		if err := receive(); err != nil {
			return 0, err
		}
	}
	return count, nil
}

// ANCHOR_END: routes

// ANCHOR: events
func nextEvent(ctx context.Context, conn api.Connection, loopback interface_types.InterfaceIndex) (*interfaces.SwInterfaceEvent, error) {
	watcher, err := conn.WatchEvent(ctx, (*interfaces.SwInterfaceEvent)(nil))
	if err != nil {
		return nil, err
	}
	defer watcher.Close()
	client := interfaces.NewServiceClient(conn)
	pid := uint32(os.Getpid())
	if _, err := client.WantInterfaceEvents(ctx, &interfaces.WantInterfaceEvents{EnableDisable: 1, PID: pid}); err != nil {
		return nil, err
	}
	defer client.WantInterfaceEvents(ctx, &interfaces.WantInterfaceEvents{EnableDisable: 0, PID: pid})
	if _, err := client.SwInterfaceSetFlags(ctx, &interfaces.SwInterfaceSetFlags{SwIfIndex: loopback}); err != nil {
		return nil, err
	}
	select {
	case event := <-watcher.Events():
		return event.(*interfaces.SwInterfaceEvent), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// ANCHOR_END: events

// ANCHOR: refused
func refused(ctx context.Context, conn api.Connection) (string, error) {
	_, err := interfaces.NewServiceClient(conn).DeleteLoopback(ctx, &interfaces.DeleteLoopback{SwIfIndex: 99999})
	if errors.Is(err, api.INVALID_SW_IF_INDEX) {
		return "no such interface", nil
	}
	if err != nil {
		return "", fmt.Errorf("nothing was deleted: %w", err)
	}
	return "it was there", nil
}

// ANCHOR_END: refused

// ANCHOR: check
func check(conn *core.Connection) error {
	err := conn.CheckCompatibility(
		&interfaces.CreateLoopback{}, &interfaces.SwInterfaceDump{}, &interfaces.SwInterfaceDetails{},
		&ip.IPRouteAddDelV2{},
	)
	var incompatible *api.CompatibilityError
	if errors.As(err, &incompatible) {
		// Absent or changed: the error does not tell which.
		return fmt.Errorf("not good: %s", strings.Join(incompatible.IncompatibleMessages, ", "))
	}
	return err
}

// ANCHOR_END: check

// ANCHOR: releases
func namesOnAnyRelease(ctx context.Context, conn *core.Connection) ([]string, error) {
	err := conn.CheckCompatibility(&interfaces.SwInterfaceDump{}, &interfaces.SwInterfaceDetails{})
	if err == nil {
		return listInterfaces(ctx, conn)
	}
	// Bindings generated from 20.09 are packages of their own, with types of their own: all of the above once more.
	return nil, fmt.Errorf("no bindings for this release: %w", err)
}

// ANCHOR_END: releases

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, err := connect(os.Args[1])
	orFail(err)
	defer conn.Disconnect()
	text, err := version(ctx, conn)
	orFail(err)
	fmt.Println("version:", text)
	loopback, err := createLoopback(ctx, conn)
	orFail(err)
	names, err := listInterfaces(ctx, conn)
	orFail(err)
	fmt.Println("interfaces:", strings.Join(names, ", "))
	orFail(addRoute(ctx, conn, loopback))
	count, err := addRoutes(ctx, conn, loopback, 10_000)
	orFail(err)
	fmt.Println("routes:", count)
	event, err := nextEvent(ctx, conn, loopback)
	orFail(err)
	fmt.Println("event:", event.GetMessageName(), event.SwIfIndex == loopback)
	text, err = refused(ctx, conn)
	orFail(err)
	fmt.Println("refused:", text)
	orFail(check(conn))
	fmt.Println("good for this program")
	names, err = namesOnAnyRelease(ctx, conn)
	orFail(err)
	fmt.Println("on this VPP:", strings.Join(names, ", "))
	_, err = interfaces.NewServiceClient(conn).DeleteLoopback(ctx, &interfaces.DeleteLoopback{SwIfIndex: loopback})
	orFail(err)
}

func orFail(err error) {
	if err != nil {
		log.Fatalln(err)
	}
}
