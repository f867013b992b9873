
-- Pages of lists: the function that puts several indexes together, and writes
-- nothing.  Stands in front of ngx_http_tasks_library.lua, which hands it what
-- both need.

local function build_page(fail, check_base, index_key)

local call = redis.call
local byte, format, match = string.byte, string.format, string.match


-- Lua compares strings as the locale has it.
local by_bytes = true

for code = 1, 254 do
    by_bytes = by_bytes and string.char(code) < string.char(code + 1)
end

local function is_less(one, two)
    if by_bytes then
        return one < two
    end

    local i = 1

    while byte(one, i) and byte(one, i) == byte(two, i) do
        i = i + 1
    end

    return (byte(one, i) or -1) < (byte(two, i) or -1)
end

-- Whether a list has one position before the other.
local function before(one, two)
    if order.descending then
        return is_less(two, one)
    end

    return is_less(one, two)
end

-- The first `count` behind `offset` of several lists of positions.
local function merge(lists, offset, count)
    local merged, heads = {}, {}

    for i = 1, #lists do
        heads[i] = 1
    end

    while #merged < count do
        local first

        for i = 1, #lists do
            local member = lists[i][heads[i]]

            if member and (not first
                           or before(member, lists[first][heads[first]]))
            then
                first = i
            end
        end

        if not first then
            break
        end

        if offset > 0 then
            offset = offset - 1
        else
            merged[#merged + 1] = lists[first][heads[first]]
        end

        heads[first] = heads[first] + 1
    end

    return merged
end

-- A page, read atomically, of what the indexes with the suffixes in `args`
-- hold: behind a rank and, unless it is empty, a position.  Revision and total
-- of each index, then the positions, then their rows.  nginx asks for it where
-- indexes change faster than they can be read.
local function page(keys, args)
    local base = check_base(keys)
    local offset, count, cursor = tonumber(args[1]), tonumber(args[2]), args[3]
    local reply, lists = {}, {}
    local start = #args == 4 and offset or 0
    local rev = order.descending and { 'REV' } or {}

    if not (offset and count and cursor and args[4]) then
        fail('an offset, a count, a cursor and index suffixes are due')
    end

    for i = 4, #args do
        local key = index_key(base, args[i])

        reply[#reply + 1] = call('HGET', base .. ':revs', args[i])
        reply[#reply + 1] = call('ZCARD', key)

        if count == 0 then
            lists[#lists + 1] = {}
        elseif cursor ~= '' then
            lists[#lists + 1] = call('ZRANGE', key, '(' .. cursor,
                order.descending and '-' or '+', 'BYLEX',
                unpack(order.descending
                       and { 'REV', 'LIMIT', 0, count }
                       or { 'LIMIT', 0, count }))
        else
            lists[#lists + 1] = call('ZRANGE', key, format('%.0f', start),
                format('%.0f', offset + count - 1), unpack(rev))
        end
    end

    local members = #lists == 1 and lists[1] or merge(lists, offset, count)
    local n = #reply

    for i = 1, #members do
        reply[n + i] = members[i]
        reply[n + #members + i] = call('HGET', base .. ':rows',
                                       match(members[i], '^[^:]*:(.*)$'))
    end

    return reply
end


return page

end
