
-- The write side: the Redis functions through which every change of a task
-- goes, so that task, indexes, rows and revisions never disagree.
--
-- This text follows a preamble that nginx generates from an API definition:
-- `name`, `version`, `max_value`, `id`, `fields` (declared order), `filters`,
-- `order`, `state` and `cancel`.  Keys and arguments are described in the
-- README, "Redis contract".
--
-- Rules: values stay the JSON text that the writer sent; numbers never pass
-- through a double on their way; a function finds out what may fail before it
-- changes anything; no error reply carries a byte that came from outside.

-- While a library is being loaded, Redis has none of Lua's own functions, nor
-- cjson, nor redis.call: all that needs them is made by the first call.
local function build()

local json = cjson.new()
json.decode_invalid_numbers(false)

local call = redis.call
local byte, find, format, gsub, match, sub =
      string.byte, string.find, string.format, string.gsub, string.match,
      string.sub
local concat, floor = table.concat, math.floor


-- `fail` unwinds to `run`, which turns the text into an error reply; nothing
-- was written by then.
local function fail(text)
    error({ tasks = text }, 0)
end


-- JSON text.

-- Byte sequences of well-formed UTF-8 above ASCII (Unicode, table 3-7).
local utf8_sequences = {
    '[\194-\223][\128-\191]',
    '\224[\160-\191][\128-\191]',
    '[\225-\236\238\239][\128-\191][\128-\191]',
    '\237[\128-\159][\128-\191]',
    '\240[\144-\191][\128-\191][\128-\191]',
    '[\241-\243][\128-\191][\128-\191][\128-\191]',
    '\244[\128-\143][\128-\191][\128-\191]',
}

local function is_utf8(text)
    if not find(text, '[\128-\255]') then
        return true
    end

    for i = 1, #utf8_sequences do
        text = gsub(text, utf8_sequences[i], '.')
    end

    return not find(text, '[\128-\255]')
end

local function is_integer(text)
    return find(text, '^%-?[1-9]%d*$') ~= nil and #text <= 20
           or text == '0'
end

local function is_number(text)
    local int, frac, exp = match(text, '^%-?(%d+)(%.?%d*)([eE]?[+-]?%d*)$')

    return int ~= nil
           and (int == '0' or sub(int, 1, 1) ~= '0')
           and frac ~= '.'
           and (exp == '' or find(exp, '^[eE][+-]?%d+$') ~= nil)
end

-- cjson checks the structure; it lets pass control characters inside strings,
-- ill-formed UTF-8 and numbers such as "1." and ".5", which are looked for
-- here in what is left when the strings are taken out.
local function is_json(text)
    if not is_utf8(text) or not pcall(json.decode, text) then
        return false
    end

    local control = false
    local bare = gsub(gsub(text, '\\.', ''), '"([^"]*)"', function(s)
        control = control or find(s, '[%z\1-\31]')
        return ''
    end)

    if control then
        return false
    end

    for token in string.gmatch(bare, '[^%s,:%[%]{}]+') do
        if token ~= 'true' and token ~= 'false' and token ~= 'null'
           and not is_number(token)
        then
            return false
        end
    end

    return true
end

local function is_string(text)
    if find(text, '^"[^"\\%z\1-\31]*"$') then
        return is_utf8(text)
    end

    return byte(text) == 34 and byte(text, -1) == 34 and is_json(text)
end

-- The text of a JSON string, or the literal itself: what an index is named by.
local function plain(text)
    if byte(text) ~= 34 then
        return text
    end

    return find(text, '\\', 1, true) and json.decode(text) or sub(text, 2, -2)
end

local function quote(text)
    if find(text, '^[%w%._~:-]*$') then
        return '"' .. text .. '"'
    end

    return json.encode(text)
end


-- Time.

local month_days = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }

-- Days since 1970-01-01 in the proleptic Gregorian calendar.
local function days(year, month, day)
    if month <= 2 then
        year, month = year - 1, month + 12
    end

    return 365 * year + floor(year / 4) - floor(year / 100)
           + floor(year / 400) + floor((153 * (month - 3) + 2) / 5)
           + day - 719469
end

-- Seconds and microseconds since the epoch of a JSON date-time string (RFC
-- 3339; "T" or a space; without a zone it is UTC), or nothing.
local function datetime(text)
    local y, mo, d, h, mi, s, rest = match(text,
        '^"(%d%d%d%d)%-(%d%d)%-(%d%d)[Tt ](%d%d):(%d%d):(%d%d)([^"]*)"$')

    if not y then
        return nil
    end

    y, mo, d, h, mi, s = tonumber(y), tonumber(mo), tonumber(d),
                         tonumber(h), tonumber(mi), tonumber(s)

    local frac, zone = match(rest, '^%.(%d+)(.*)$')
    zone = zone or rest

    local sign, zh, zm = match(zone, '^([+-])(%d%d):?(%d%d)$')

    zh, zm = tonumber(zh or 0), tonumber(zm or 0)

    if not (zone == '' or zone == 'Z' or zone == 'z' or sign)
       or zh > 23 or zm > 59
       or mo < 1 or mo > 12 or d < 1 or d > month_days[mo]
       or (mo == 2 and d == 29
           and (y % 4 ~= 0 or (y % 100 == 0 and y % 400 ~= 0)))
       or h > 23 or mi > 59 or s > 60
    then
        return nil
    end

    local offset = (sign == '-' and -1 or 1) * (zh * 3600 + zm * 60)

    return days(y, mo, d) * 86400 + h * 3600 + mi * 60 + s - offset,
           frac and tonumber(sub(frac .. '00000', 1, 6)) or 0
end

-- The current time as RFC 3339 in UTC with `digits` fraction digits.
local function now(digits, zone)
    local t = call('TIME')
    local seconds = tonumber(t[1])
    local day, clock = floor(seconds / 86400), seconds % 86400

    -- civil date from days, eras of 400 years starting on March 1
    local z = day + 719468
    local era = floor(z / 146097)
    local doe = z - era * 146097
    local yoe = floor((doe - floor(doe / 1460) + floor(doe / 36524)
                       - floor(doe / 146096)) / 365)
    local doy = doe - (365 * yoe + floor(yoe / 4) - floor(yoe / 100))
    local mp = floor((5 * doy + 2) / 153)
    local month = mp < 10 and mp + 3 or mp - 9
    local year = yoe + era * 400 + (month <= 2 and 1 or 0)

    local fraction = ''

    if digits > 0 then
        fraction = '.' .. sub(format('%06d', tonumber(t[2])), 1, digits)
    end

    return format('"%04d-%02d-%02dT%02d:%02d:%02d%s%s"', year, month,
                  doy - floor((153 * mp + 2) / 5) + 1, floor(clock / 3600),
                  floor(clock / 60) % 60, clock % 60, fraction, zone)
end


-- Types, by the name that a definition gives them.

local types = {
    string = is_string,
    datetime = datetime,
    integer = is_integer,
    number = is_number,
    boolean = function(text)
        return text == 'true' or text == 'false'
    end,
    object = function(text)
        return find(text, '^%s*{') and is_json(text)
    end,
    array = function(text)
        return find(text, '^%s*%[') and is_json(text)
    end,
    any = is_json,
}


-- Lookup tables made once, when the library is loaded.

local by_name, columns, watched = {}, {}, {}

for _, field in ipairs(fields) do
    by_name[field.name] = field
    field.check = types[field.type]

    if field.list then
        field.key = quote(field.name) .. ':'
        columns[#columns + 1] = field
    end

    if field.list or field.filter or field.name == order.field
       or field.name == state
    then
        watched[#watched + 1] = field.name
    end
end

-- Every combination of filters has an index: {}, {1}, {2}, {1, 2}, ...
local combinations = {}

for mask = 0, 2 ^ #filters - 1 do
    local combination = {}

    for i = 1, #filters do
        if floor(mask / 2 ^ (i - 1)) % 2 == 1 then
            combination[#combination + 1] = i
        end
    end

    combinations[#combinations + 1] = combination
end


-- Names.

local function escape(c)
    return format('%%%02X', byte(c))
end

local function check_base(keys)
    local base = keys[1]

    if #keys ~= 1 or not (base == 'tasks:{' .. name .. '}'
        or find(base, '^tasks:{' .. name .. ':[%w%._~%%-]+}$'))
    then
        fail('one key is due: tasks:{' .. name .. '} or tasks:{' .. name
             .. ':SCOPE}')
    end

    return base
end

local function check_id(text)
    if not text or text == '' then
        fail('an id is due')
    end

    if #text > id.max_length then
        fail('the id is longer than ' .. id.max_length .. ' bytes')
    end

    if id.type == 'integer' then
        if not is_integer(text) then
            fail('the id is not an integer')
        end

    elseif find(text, '[%z\1-\31\127]') or not is_utf8(text) then
        fail('the id holds control characters or ill-formed UTF-8')
    end

    return text
end

-- The value of a field as lists show it: an absent one has its default.
local function shown(values, field)
    local value = values[field] or by_name[field].default

    return value ~= 'null' and value or nil
end

-- Index suffixes of a task, by combination; none where a filter is absent.
local function suffixes(values)
    local terms, result = {}, {}

    for i = 1, #filters do
        local value = shown(values, filters[i])

        if value then
            terms[i] = filters[i] .. '='
                       .. gsub(plain(value), '[^ !-$\'-9;<>-~]', escape)
        end
    end

    for c = 1, #combinations do
        local combination, parts = combinations[c], {}

        for i = 1, #combination do
            parts[i] = terms[combination[i]]

            if not parts[i] then
                parts = nil
                break
            end
        end

        result[c] = parts and concat(parts, '&') or false
    end

    return result
end

local function index_key(base, suffix)
    return suffix == '' and base .. ':index' or base .. ':index:' .. suffix
end

-- 14 hex digits that sort as the integers high * 2^24 + low do.  Two parts, as
-- the offset that makes them positive would not fit a double exactly.  What is
-- beyond the digits (date-times before 829 and after 3111) is at the end.
local function sortable(high, low)
    if low >= 0x1000000 then
        high, low = high + 1, low - 0x1000000
    end

    if high < -0x80000000 then
        high, low = -0x80000000, 0
    elseif high > 0x7fffffff then
        high, low = 0x7fffffff, 0xffffff
    end

    return format('%08x%06x', high + 0x80000000, low)
end

-- Escapes of a string that is ordered by hold no colon and no control
-- character and keep the order of bytes: each begins with the lowest, or the
-- highest, of the characters that it stands for.
local function escape_ordered(c)
    local lead = c <= '!' and '!' or c <= ';' and ';' or '~'

    return format('%s%02X', lead, byte(c))
end

local function position(values, task_id)
    local value, key = values[order.field], nil

    if not value then
        fail(order.field .. ' is due: tasks are ordered by it')
    end

    if order.type == 'datetime' then
        -- 10^6 is 15625 * 64, and 15625 times the seconds fits a double
        local seconds, micros = datetime(value)
        local part = seconds * 15625
        key = sortable(floor(part / 0x40000), part % 0x40000 * 64 + micros)

    elseif order.type == 'integer' then
        local n = tonumber(value)

        if n >= 2 ^ 53 or n <= -2 ^ 53 then
            fail(order.field .. ' is not below 2^53: it cannot be ordered by')
        end

        key = sortable(floor(n / 0x1000000), n % 0x1000000)

    else
        local text = plain(value)

        if #text > 512 then
            fail(order.field .. ' is longer than 512 bytes: it cannot be '
                 .. 'ordered by')
        end

        -- the space ends the key below whatever a longer string goes on with
        key = gsub(text, '[%z\1-!:;~\127]', escape_ordered) .. ' '
    end

    return key .. ':' .. task_id
end


-- State of a task as far as lists are concerned.

local function load_task(base, task_id)
    local reply = call('HMGET', base .. ':task:' .. task_id, '_pos',
                       unpack(watched))
    local values = {}

    for i = 1, #watched do
        values[watched[i]] = reply[i + 1] or nil
    end

    return reply[1], values
end

local function row_of(values, task_id)
    local members = {
        quote(id.field) .. ':'
        .. (id.type == 'integer' and task_id or quote(task_id)),
    }

    for i = 1, #columns do
        local column = columns[i]
        local value = values[column.name] or column.default

        if value then
            members[#members + 1] = column.key .. value
        end
    end

    return '{' .. concat(members, ',') .. '}'
end

-- The next revision of a collection.  It starts at the time in microseconds,
-- so that a collection that was lost and begins anew repeats no revision.
-- This is the first that a change writes, so it asks before whether the user
-- may also do the last: by default Redis gives a user no channel.
local function next_revision(base)
    if not redis.acl_check_cmd('PUBLISH', base .. ':events', '') then
        fail('the user may not publish to ' .. name .. "'s events")
    end

    local revision = call('HINCRBY', base .. ':revs', '_', 1)

    if revision == 1 then
        local t = call('TIME')
        revision = tonumber(t[1]) * 1000000 + tonumber(t[2])
        call('HSET', base .. ':revs', '_', format('%.0f', revision))
    end

    return revision
end

-- Moves a task between indexes and gives every index that it is or was in the
-- new revision.  Indexes that neither the position nor a value of theirs
-- changed in are not touched.
local function reindex(base, revision, old_pos, old, new_pos, new)
    local revisions, gone = {}, {}
    local text = format('%.0f', revision)

    for c = 1, #combinations do
        local before = old_pos and old[c]
        local after = new_pos and new[c]

        if after then
            revisions[#revisions + 1] = after
            revisions[#revisions + 1] = text
        end

        if before ~= after or old_pos ~= new_pos then
            if before then
                local key = index_key(base, before)
                call('ZREM', key, old_pos)

                if before ~= after then
                    if call('EXISTS', key) == 0 then
                        gone[#gone + 1] = before
                    else
                        revisions[#revisions + 1] = before
                        revisions[#revisions + 1] = text
                    end
                end
            end

            if after then
                call('ZADD', index_key(base, after), 0, new_pos)
            end
        end
    end

    if #revisions > 0 then
        call('HSET', base .. ':revs', unpack(revisions))
    end

    if #gone > 0 then
        call('HDEL', base .. ':revs', unpack(gone))
    end
end

local function publish(base, task_id, revision, status, event)
    call('PUBLISH', base .. ':events', '{"id":' .. quote(task_id)
         .. ',"revision":' .. format('%.0f', revision)
         .. ',"status":' .. (status or 'null')
         .. ',"event":"' .. event .. '"}')
end

-- Applies `changes` (field -> JSON text, or false to clear it) to a task whose
-- position and list values are given.  Returns the revision.
local function update(base, task_id, old_pos, old, changes, event)
    local new, stored, cleared = {}, {}, {}
    local listed = not old_pos

    for i = 1, #watched do
        new[watched[i]] = old[watched[i]]
    end

    for field, value in pairs(changes) do
        if value then
            stored[#stored + 1] = field
            stored[#stored + 1] = value
        else
            cleared[#cleared + 1] = field
        end

        local is_watched = by_name[field].list or by_name[field].filter
                           or field == order.field

        if is_watched and (old[field] or false) ~= value then
            listed = true
        end

        new[field] = value or nil
    end

    local new_pos = position(new, task_id)
    local revision = next_revision(base)
    local task = base .. ':task:' .. task_id

    if listed then
        reindex(base, revision, old_pos, old_pos and suffixes(old),
                new_pos, suffixes(new))
        call('HSET', base .. ':rows', task_id, row_of(new, task_id))
    end

    stored[#stored + 1] = '_rev'
    stored[#stored + 1] = format('%.0f', revision)

    if new_pos ~= old_pos then
        stored[#stored + 1] = '_pos'
        stored[#stored + 1] = new_pos
    end

    call('HSET', task, unpack(stored))

    if #cleared > 0 then
        call('HDEL', task, unpack(cleared))
    end

    publish(base, task_id, revision, state and shown(new, state), event)

    return revision
end

local function drop(base, task_id, pos, values)
    local revision = next_revision(base)

    reindex(base, revision, pos, suffixes(values), nil, nil)
    call('HDEL', base .. ':rows', task_id)
    call('DEL', base .. ':task:' .. task_id)
    publish(base, task_id, revision, state and shown(values, state),
            'removed')

    if call('EXISTS', base .. ':index') == 0 then
        call('DEL', base .. ':revs')
    end
end


-- The functions.

local function put(keys, args)
    local base, task_id = check_base(keys), check_id(args[1])
    local changes = {}

    if #args % 2 == 0 then
        fail('each field wants a value')
    end

    for i = 2, #args, 2 do
        local field, value = by_name[args[i]], args[i + 1]

        if not field then
            fail('argument ' .. i .. ' is not a declared field')
        end

        if #value > max_value then
            fail(field.name .. ' is longer than ' .. max_value .. ' bytes')
        end

        if value == 'null' then
            changes[field.name] = false
        elseif field.check(value) then
            changes[field.name] = value
        else
            fail(field.name .. ' is not a valid JSON ' .. field.type)
        end
    end

    local pos, old = load_task(base, task_id)

    for _, field in ipairs(fields) do
        local change = changes[field.name]

        if field.required and (change == false
            or (not pos and change == nil))
        then
            fail(field.name .. ' is required')
        end
    end

    return update(base, task_id, pos, old, changes,
                  pos and 'updated' or 'created')
end

-- A put for a task that is in the state given as JSON text (a worker that
-- finishes a task unless it was cancelled); 0 if it is not, or not there.
local function put_if(keys, args)
    local expected = args[2]

    if not state or not expected or not is_string(expected) then
        fail('a state is due behind the id')
    end

    local pos, old = load_task(check_base(keys), check_id(args[1]))
    local raw = shown(old, state)

    if not pos or not raw or plain(raw) ~= plain(expected) then
        return 0
    end

    table.remove(args, 2)

    return put(keys, args)
end

local function may_cancel(status)
    if cancel.from then
        return status and cancel.from[status]
    end

    return not (status and cancel.except[status])
end

local function do_cancel(keys, args)
    local base, task_id = check_base(keys), check_id(args[1])
    local pos, old = load_task(base, task_id)

    if not pos then
        return { 'missing' }
    end

    local raw = shown(old, state)
    local status = raw and plain(raw)

    local was = { 'cancelled', raw or 'null', status or '' }

    if status and cancel.unchanged[status] then
        was[1] = 'unchanged'
        return was
    end

    if not may_cancel(status) then
        was[1] = 'refused'
        return was
    end

    local changes = {}

    for _, set in ipairs(cancel.set) do
        changes[set.field] = set.digits and now(set.digits, set.zone)
                             or set.value
    end

    update(base, task_id, pos, old, changes, 'cancelled')

    return was
end

local function remove(keys, args)
    local base, task_id = check_base(keys), check_id(args[1])
    local pos, values = load_task(base, task_id)

    if not pos then
        return 0
    end

    drop(base, task_id, pos, values)

    return 1
end

-- Keeps the first `count` tasks of the list; of the others removes those that
-- cannot be cancelled any more, last ones first, at most 1,000 a call out of
-- the last 10,000, so that Redis is never held for long.
local function prune(keys, args)
    local base = check_base(keys)
    local count = args[1]

    if not count or not find(count, '^%d+$') or #count > 15 then
        fail('a count of tasks to keep is due')
    end

    local index = base .. ':index'
    local surplus = call('ZCARD', index) - tonumber(count)

    if surplus <= 0 then
        return 0
    end

    local range = { index, 0, math.min(surplus, 10000) - 1 }

    if not order.descending then
        range[4] = 'REV'
    end

    local removed = 0

    for _, member in ipairs(call('ZRANGE', unpack(range))) do
        local task_id = match(member, '^[^:]*:(.*)$')
        local pos, values = load_task(base, task_id)
        local raw = cancel and shown(values, state)

        if pos and not (cancel and may_cancel(raw and plain(raw))) then
            drop(base, task_id, pos, values)
            removed = removed + 1

            if removed == 1000 then
                break
            end
        end
    end

    return removed
end

-- Makes rows and indexes anew, for a definition that shows, filters or orders
-- by other fields than when the tasks were put.  Holds Redis for as long as it
-- takes to put them all; returns how many there are.
local function rebuild(keys)
    local base = check_base(keys)
    local ids = call('HKEYS', base .. ':rows')
    local tasks = {}

    -- what may fail comes before the first change

    for i = 1, #ids do
        local _, values = load_task(base, ids[i])
        tasks[i] = { pos = position(values, ids[i]), values = values }
    end

    local revision = next_revision(base)

    for _, suffix in ipairs(call('HKEYS', base .. ':revs')) do
        if suffix ~= '_' then
            call('DEL', index_key(base, suffix))
            call('HDEL', base .. ':revs', suffix)
        end
    end

    for i = 1, #ids do
        local values, pos = tasks[i].values, tasks[i].pos

        reindex(base, revision, nil, nil, pos, suffixes(values))
        call('HSET', base .. ':rows', ids[i], row_of(values, ids[i]))
        call('HSET', base .. ':task:' .. ids[i], '_pos', pos,
             '_rev', format('%.0f', revision))
    end

    return #ids
end

-- A page of one index, read atomically: revision, total, then the members,
-- then their rows.  The arguments after the suffix are those of ZRANGE.
-- nginx asks for it where an index changes faster than it can be read.
local function page(keys, args)
    local base, suffix = check_base(keys), args[1]
    local key = index_key(base, suffix)
    local members = call('ZRANGE', key, unpack(args, 2))
    local reply = { call('HGET', base .. ':revs', suffix),
                    tostring(call('ZCARD', key)) }

    for i = 1, #members do
        reply[2 + i] = members[i]
    end

    for i = 1, #members do
        reply[2 + #members + i] = call('HGET', base .. ':rows',
                                       match(members[i], '^[^:]*:(.*)$'))
    end

    return reply
end


return {
    put = put, put_if = put_if, cancel = do_cancel, remove = remove,
    prune = prune, rebuild = rebuild, page = page,
}

end


local functions

local function run(callback, keys, args)
    functions = functions or build()

    local ok, result = pcall(functions[callback], keys, args)

    if ok then
        return result
    end

    if type(result) == 'table' and result.tasks then
        return redis.error_reply('ERR tasks_' .. name .. ': ' .. result.tasks)
    end

    error(result, 0)
end

local function register(callback, flags)
    redis.register_function {
        function_name = name .. '_' .. callback,
        callback = function(keys, args)
            return run(callback, keys, args)
        end,
        flags = flags,
    }
end

-- What ends a task or makes room must go on when Redis is full.

register('put', {})
register('put_if', {})
register('remove', { 'allow-oom' })
register('prune', { 'allow-oom' })
register('rebuild', {})
register('page', { 'no-writes' })

if cancel then
    register('cancel', { 'allow-oom' })
end

redis.register_function {
    function_name = name .. '_version',
    callback = function() return version end,
    flags = { 'no-writes' },
}
