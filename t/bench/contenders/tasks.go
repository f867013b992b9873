// net/http with redigo, one connection to Redis for each request in flight:
//
//	tasks PORT
package main

import (
	"bytes"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/gomodule/redigo/redis"
)

var filters = []string{"project_id", "status"}

var fields = []string{
	"project_id", "task_type", "status", "progress", "total", "created_at",
	"started_at", "owner", "queue", "worker", "attempts", "params",
}

var names [][]byte

var pool = &redis.Pool{
	MaxIdle:     1024,
	IdleTimeout: time.Minute,
	Dial: func() (redis.Conn, error) {
		return redis.Dial("unix", os.Getenv("BENCH_SOCKET"))
	},
}

func base(query url.Values) string {
	return "tasks:{bench:" + url.QueryEscape(query.Get("scope")) + "}"
}

func index(query url.Values) string {
	var terms []string

	for _, name := range filters {
		if value := query.Get(name); value != "" {
			terms = append(terms, name+"="+url.QueryEscape(value))
		}
	}

	if len(terms) == 0 {
		return base(query) + ":index"
	}

	return base(query) + ":index:" + strings.Join(terms, "&")
}

// send writes the envelope around what data appends.
func send(w http.ResponseWriter, size int, data func(*bytes.Buffer)) {
	var body bytes.Buffer

	body.Grow(size + 64)
	body.WriteString(`{"code":200,"message":"success","data":`)
	data(&body)
	body.WriteByte('}')

	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(body.Len()))
	w.Write(body.Bytes())
}

func list(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	limit := 50

	if text := query.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		limit = n
	}

	conn := pool.Get()
	defer conn.Close()

	members, err := redis.ByteSlices(conn.Do("ZRANGE", index(query), 0,
		limit-1, "REV"))
	if err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}

	var rows [][]byte

	if len(members) > 0 {
		args := make([]interface{}, 1, 1+len(members))
		args[0] = base(query) + ":rows"

		for _, member := range members {
			args = append(args, member[bytes.IndexByte(member, ':')+1:])
		}

		rows, err = redis.ByteSlices(conn.Do("HMGET", args...))
		if err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
	}

	size := 0
	for _, row := range rows {
		size += len(row) + 1
	}

	send(w, size, func(body *bytes.Buffer) {
		body.WriteByte('[')
		for i, row := range rows {
			if i > 0 {
				body.WriteByte(',')
			}
			body.Write(row)
		}
		body.WriteByte(']')
	})
}

func get(w http.ResponseWriter, r *http.Request) {
	id := strings.TrimPrefix(r.URL.Path, "/tasks/")

	if _, err := strconv.ParseUint(id, 10, 63); err != nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}

	args := make([]interface{}, 1, 1+len(fields))
	args[0] = base(r.URL.Query()) + ":task:" + id

	for _, field := range fields {
		args = append(args, field)
	}

	conn := pool.Get()
	defer conn.Close()

	values, err := redis.ByteSlices(conn.Do("HMGET", args...))
	if err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}

	found := false
	for _, value := range values {
		found = found || value != nil
	}

	if !found {
		w.WriteHeader(http.StatusNotFound)
		return
	}

	send(w, 512, func(body *bytes.Buffer) {
		body.WriteString(`{"id":` + id)
		for i, value := range values {
			if value != nil {
				body.Write(names[i])
				body.Write(value)
			}
		}
		body.WriteByte('}')
	})
}

func main() {
	for _, field := range fields {
		names = append(names, []byte(`,"`+field+`":`))
	}

	http.HandleFunc("/tasks", list)
	http.HandleFunc("/tasks/", get)

	address := net.JoinHostPort("127.0.0.1", os.Args[1])
	log.Fatal(http.ListenAndServe(address, nil))
}
