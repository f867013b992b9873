-- List and get for nginx with Lua; connections to Redis are kept open.

local redis = require 'nginx.redis'

local ngx, concat, find, sub = ngx, table.concat, string.find, string.sub

local filters = { 'project_id', 'status' }

local fields = {
    'project_id', 'task_type', 'status', 'progress', 'total', 'created_at',
    'started_at', 'owner', 'queue', 'worker', 'attempts', 'params',
}

local names = {}

for i, field in ipairs(fields) do
    names[i] = ',"' .. field .. '":'
end

local head, tail = '{"code":200,"message":"success","data":', '}'


local function base()
    return 'tasks:{bench:' .. ngx.var.arg_scope .. '}'
end


local function connect()
    local red = redis:new()

    red:set_timeout(10000)

    local ok, err = red:connect(ngx.var.socket)
    if not ok then
        ngx.log(ngx.ERR, err)
        ngx.exit(503)
    end

    return red
end


-- The reply; the connection is of no use after an error.
local function check(reply, err)
    if not reply then
        ngx.log(ngx.ERR, err)
        ngx.exit(503)
    end

    return reply
end


local function send(red, data)
    red:set_keepalive(60000, 64)

    local body = head .. data .. tail

    ngx.header.content_length = #body
    ngx.print(body)
end


local function index(args)
    local terms = {}

    for i = 1, #filters do
        local value = args[filters[i]]

        if value then
            if not find(value, '^[%w_-]+$') then
                ngx.exit(400)
            end

            terms[#terms + 1] = filters[i] .. '=' .. value
        end
    end

    return base() .. ':index'
           .. (#terms > 0 and ':' .. concat(terms, '&') or '')
end


local function list()
    local args = ngx.req.get_uri_args()
    local limit = tonumber(args.limit or 50)

    if not limit or limit < 1 then
        ngx.exit(400)
    end

    local red = connect()
    local members = check(red:zrange(index(args), 0, limit - 1, 'REV'))

    if #members == 0 then
        return send(red, '[]')
    end

    for i = 1, #members do
        local member = members[i]
        members[i] = sub(member, find(member, ':', 1, true) + 1)
    end

    local rows = check(red:hmget(base() .. ':rows', unpack(members)))

    send(red, '[' .. concat(rows, ',') .. ']')
end


local function get()
    local id = sub(ngx.var.uri, 8)

    if not find(id, '^%d+$') then
        ngx.exit(404)
    end

    local red = connect()
    local values = check(red:hmget(base() .. ':task:' .. id, unpack(fields)))
    local parts = { '{"id":' .. id }

    for i = 1, #names do
        if values[i] ~= ngx.null then
            parts[#parts + 1] = names[i]
            parts[#parts + 1] = values[i]
        end
    end

    if #parts == 1 then
        red:set_keepalive(60000, 64)
        ngx.exit(404)
    end

    parts[#parts + 1] = '}'
    send(red, concat(parts))
end


return { list = list, get = get }
