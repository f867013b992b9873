# shellcheck shell=sh disable=SC2154  # variables of run.sh
# What else one might serve the same lists and tasks with: the same keys, the
# same responses, rows taken as they are.  They read a list by ZRANGE and HMGET,
# and take no care that it is a snapshot.  One process each; Node, Go and Python
# have the defaults that their manuals recommend.

# what Debian's packages, not others in PATH, belong to
python=/usr/bin/python3

webdis_fields=project_id/task_type/status/progress/total/created_at
webdis_fields=$webdis_fields/started_at/owner/queue/worker/attempts/params


choose_contenders() {
    contenders=

    for name in $without; do
        case $name in
        lua|node|fastify|fastapi|go|webdis) ;;
        *)  usage ;;
        esac
    done

    for name in lua node fastify fastapi go webdis; do
        case $without in
        *" $name "*) ;;
        *)  contenders="$contenders $name" ;;
        esac
    done
}


title_of() {
    case $1 in
    lua)     echo "nginx with Lua" ;;
    node)    echo "Node, ioredis" ;;
    fastify) echo "Fastify, ioredis" ;;
    fastapi) echo "FastAPI on uvicorn, redis-py" ;;
    go)      echo "Go net/http, redigo" ;;
    webdis)  echo "webdis (no JSON of the task)" ;;
    esac
}


install_contenders() {
    for name in $contenders; do
        "install_$name" || fail "$name cannot be installed; --without $name" \
                                "leaves it out"
    done
}


install_packages() {
    sh "$root/docker/build.sh" --packages "$@"
}


install_lua() {
    install_packages libnginx-mod-http-lua lua-nginx-redis
}


install_node() {
    node_modules ioredis
}


install_fastify() {
    node_modules ioredis fastify
}


# npm's newest versions want Node 20, Debian 12 has 18.

node_modules() {
    command -v node >/dev/null || install_packages nodejs || return 1
    command -v npm >/dev/null || install_packages npm || return 1

    mkdir -p "$dir/node"
    cp "$here/contenders/"*.js "$dir/node"

    version=$(node -p 'process.versions.node.split(".")[0]')
    [ "$version" -ge 20 ] \
        || set -- ioredis@5 ${2:+fastify@4}

    timeout 300 npm install --prefix "$dir/node" --cache "$dir/npm" --no-audit \
        --no-fund --no-update-notifier --loglevel error "$@" >/dev/null
}


install_fastapi() {
    install_packages python3 python3-fastapi python3-uvicorn python3-uvloop \
        python3-httptools python3-redis python3-hiredis
}


install_go() {
    install_packages golang-go golang-github-gomodule-redigo-dev || return 1

    GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE=$dir/go-cache \
        timeout 300 go build -o "$dir/go" "$here/contenders/tasks.go"
}


install_webdis() {
    install_packages webdis
}


start_contenders() {
    export BENCH_SOCKET="$socket"

    for name in $contenders; do
        "start_$name"
        await_url "$name" "$(get_path "$name")"
        check "$name"
    done
}


start_lua() {
    make_nginx lua /usr/lib/nginx/modules/ndk_http_module.so \
                   /usr/lib/nginx/modules/ngx_http_lua_module.so
    fill lua "$here/contenders/lua.conf" >"$dir/lua/server.conf"
    cp "$here/contenders/tasks.lua" "$dir/lua"
    start_nginx lua "$(get_path lua)"
}


start_node() {
    begin node node "$dir/node/node.js" "$(port_of node)"
}


start_fastify() {
    begin fastify node "$dir/node/fastify.js" "$(port_of fastify)"
}


start_fastapi() {
    export PYTHONDONTWRITEBYTECODE=1
    begin fastapi $python -m uvicorn --app-dir "$here/contenders" \
        --port "$(port_of fastapi)" --loop uvloop --http httptools \
        --no-access-log --log-level warning fastapi_app:app
}


start_go() {
    begin go "$dir/go" "$(port_of go)"
}


start_webdis() {
    mkdir -p "$dir/webdis"
    fill webdis "$here/contenders/webdis.json" \
        | sed "s|@LOG@|$dir/webdis/error.log|" >"$dir/webdis.json"
    begin webdis webdis "$dir/webdis.json"
}


# The path of the task that is got.

get_path() {
    case $1 in
    webdis)
        echo "/HMGET/tasks:%7Bbench:large%7D:task:500/$webdis_fields"
        ;;
    *)
        echo '/tasks/500?scope=large'
        ;;
    esac
}


# Responses must be the module's, byte for byte.

check() {
    if [ "$1" = webdis ]; then
        check_webdis
        return
    fi

    for query in '' '&status=running' '&limit=7&project_id=3' \
                 '&project_id=3&status=failed' '&project_id=3&status=running'
    do
        compare "$1" "/tasks?scope=large$query"
    done

    compare "$1" "$(get_path "$1")"
}


compare() {
    curl -sf -m 10 -o "$dir/expected" "$(url_of tasks)$2" \
        || fail "the module does not answer $2"
    curl -sf -m 10 -o "$dir/got" "$(url_of "$1")$2" \
        || fail "$1 does not answer $2"
    cmp "$dir/expected" "$dir/got" || fail "$1 answers $2 differently"
}


check_webdis() {
    curl -sf -m 10 "$(url_of webdis)$(get_path webdis)" \
        | perl -MJSON::PP -0777 -ne \
            'print map { "$_\n" } @{ decode_json($_)->{HMGET} }' >"$dir/got"
    # shellcheck disable=SC2046  # fields
    redis_cli hmget 'tasks:{bench:large}:task:500' \
        $(echo "$webdis_fields" | tr / ' ') >"$dir/expected"
    cmp "$dir/expected" "$dir/got" || fail "webdis answers differently"
}
