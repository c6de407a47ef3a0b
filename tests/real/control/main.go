// Command control is the control server of the tests' tailnet: Tailscale's own
// test server with DERP and STUN, held in memory, and a small admin API that
// changes what it says of a node.
//
// The admin API listens on a unix socket, so that the tests reach it from
// outside the server's network namespace:
//
//	GET  /nodes
//	POST /set?host=NAME&online=true&user=ID&sharer=ID&sharee=true&tags=tag:a,tag:b&os=ios&expired=true
package main

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"tailscale.com/tailcfg"
	"tailscale.com/tstest/integration"
	"tailscale.com/tstest/integration/testcontrol"
	"tailscale.com/types/logger"
)

// tb stands in for the *testing.T that RunDERPAndSTUN asks for outside a test.
type tb struct{ *testing.T }

func (tb) Cleanup(func())                  {}
func (tb) Helper()                         {}
func (tb) Log(args ...any)                 { log.Print(args...) }
func (tb) Logf(format string, args ...any) { log.Printf(format, args...) }
func (tb) Fatal(args ...any)               { log.Fatal(args...) }
func (tb) Fatalf(f string, args ...any)    { log.Fatalf(f, args...) }
func (tb) Error(args ...any)               { log.Fatal(args...) }
func (tb) Errorf(f string, args ...any)    { log.Fatalf(f, args...) }

func main() {
	ip := flag.String("ip", "127.0.0.1", "address to listen on")
	port := flag.Int("port", 9911, "port to listen on")
	admin := flag.String("admin", "", "unix socket of the admin API")
	domain := flag.String("domain", "tail-real.ts.net", "MagicDNS domain")
	flag.Parse()

	address := fmt.Sprintf("%s:%d", *ip, *port)
	control := &testcontrol.Server{
		DERPMap:          integration.RunDERPAndSTUN(tb{}, logger.Discard, *ip),
		ExplicitBaseURL:  "http://" + address,
		AllNodesSameUser: true,
		MagicDNSDomain:   *domain,
		DNSConfig:        &tailcfg.DNSConfig{Proxied: true, Domains: []string{*domain}},
		Logf:             logger.Discard,
	}

	mux := http.NewServeMux()
	mux.HandleFunc("GET /nodes", func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(control.AllNodes())
	})
	mux.HandleFunc("POST /set", func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		node := find(control, query.Get("host"))
		if node == nil {
			http.Error(w, "no such node", http.StatusNotFound)
			return
		}
		node.Name = cmp.Or(node.Name, query.Get("host")+"."+*domain+".")
		if err := change(node, query); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		control.UpdateNode(node)
	})

	// The control server first: who sees the admin socket may use both.
	public, err := net.Listen("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	private, err := net.Listen("unix", *admin)
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(public, control)) }()
	log.Fatal(http.Serve(private, mux))
}

func find(control *testcontrol.Server, host string) *tailcfg.Node {
	for _, n := range control.AllNodes() {
		if n.Hostinfo.Valid() && n.Hostinfo.Hostname() == host {
			return n
		}
	}
	return nil
}

func change(node *tailcfg.Node, query url.Values) (err error) {
	info := node.Hostinfo.AsStruct()
	for name := range query {
		value := query.Get(name)
		switch name {
		case "host":
		case "online":
			var online bool
			online, err = strconv.ParseBool(value)
			node.Online = &online
			if now := time.Now().UTC(); !online {
				node.LastSeen = &now
			}
		case "user":
			err = parseUser(value, &node.User)
		case "sharer":
			err = parseUser(value, &node.Sharer)
		case "sharee":
			info.ShareeNode, err = strconv.ParseBool(value)
		case "expired":
			node.Expired, err = strconv.ParseBool(value)
		case "tags":
			node.Tags = strings.Split(value, ",")
		case "os":
			info.OS = value
		default:
			err = fmt.Errorf("unknown: %s", name)
		}
		if err != nil {
			return err
		}
	}
	node.Hostinfo = info.View()
	return nil
}

func parseUser(value string, into *tailcfg.UserID) error {
	id, err := strconv.ParseInt(value, 10, 64)
	*into = tailcfg.UserID(id)
	return err
}
