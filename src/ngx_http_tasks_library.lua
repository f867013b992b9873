
-- The write side: the Redis functions through which every change of a task
-- goes, so that task, indexes, rows and revisions never disagree.
--
-- This text follows ngx_http_tasks_values.lua, ngx_http_tasks_key.lua,
-- ngx_http_tasks_position.lua, ngx_http_tasks_page.lua and, in front of them, a
-- preamble that nginx generates from an API definition: `name`, `version`, `max_value`, `id`,
-- `id_cursors`, `fields` (declared order), `filters`, `order`, `state` and
-- `cancel`.  Keys and arguments are described in the README, "Redis contract".
--
-- Rules: values stay the JSON text that the writer sent; numbers never pass
-- through a double on their way; a function finds out what may fail before it
-- changes anything; no error reply carries a byte that came from outside.

-- While a library is being loaded, Redis has none of Lua's own functions, nor
-- cjson, nor redis.call: all that needs them is made by the first call.
local function build()

local call = redis.call
local byte, find, format, gsub, match =
      string.byte, string.find, string.format, string.gsub, string.match
local concat, floor = table.concat, math.floor

local values_of = build_values()
local types, is_string, is_int64, plain, quote =
      values_of.types, values_of.is_string, values_of.is_int64,
      values_of.plain, values_of.quote
local now, now_unix = values_of.now, values_of.now_unix


-- `fail` unwinds to `run`, which turns the text into an error reply; nothing
-- was written by then.
local function fail(text)
    error({ tasks = text }, 0)
end

local keys_of = build_keys(fail, values_of)
local escape, index_key, check_base, check_id =
      keys_of.escape, keys_of.index_key, keys_of.check_base, keys_of.check_id


-- Lookup tables made once, when the library is loaded.

local by_name, columns, watched, wanted = {}, {}, {}, {}
local required = {}

for _, where in ipairs(cancel and cancel.where or {}) do
    wanted[where.field] = true
end

for _, field in ipairs(fields) do
    by_name[field.name] = field
    field.check = field.filter and field.type == 'integer' and is_int64
                  or types[field.type]

    if field.list then
        field.key = quote(field.name) .. ':'
        columns[#columns + 1] = field
    end

    if field.required then
        required[#required + 1] = field.name
    end

    field.orders = field.name == order.field
    field.listed = field.list or field.filter or field.orders

    if field.listed or field.name == state or wanted[field.name] then
        watched[#watched + 1] = field.name
        field.slot = #watched + 1
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


-- What is known of a task, `values` everywhere, is what load_task() got of it:
-- its position, then the values of `watched` fields, each in its field's slot;
-- false where there is none.

-- The value of a field as lists show it: an absent one has its default.
local function shown(values, name_of_field)
    local field = by_name[name_of_field]
    local value = values[field.slot] or field.default

    return value ~= 'null' and value or nil
end

-- Index suffixes of a task, by combination; none where a filter is absent.
local function make_suffixes(values)
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

    -- arguments that give all of them a revision; each call fills it in

    local touching = { '_', '' }

    for c = 1, #result do
        if result[c] then
            touching[#touching + 1] = result[c]
            touching[#touching + 1] = ''
        end
    end

    result.touching = touching

    return result
end

-- The same, kept for values that were seen: they are few, and come again.
local kept, kept_count = {}, 0

local function suffixes(values)
    local key = ''

    for i = 1, #filters do
        key = key .. (shown(values, filters[i]) or '') .. '\0'
    end

    local result = kept[key]

    if not result then
        result = make_suffixes(values)

        if kept_count == 1000 then
            kept, kept_count = {}, 0
        end

        if #key < 256 then
            kept[key], kept_count = result, kept_count + 1
        end
    end

    return result
end

local position = build_position(fail, by_name, values_of)


-- State of a task as far as lists are concerned.

local function load_task(base, task_id)
    local values = call('HMGET', base .. ':task:' .. task_id, '_pos',
                        unpack(watched))

    return values[1], values
end

local function row_of(values, task_id)
    local members = {
        quote(id.field) .. ':'
        .. (id.type == 'integer' and task_id or quote(task_id)),
    }

    for i = 1, #columns do
        local column = columns[i]
        local value = values[column.slot] or column.default

        if value then
            members[#members + 1] = column.key .. value
        end
    end

    return '{' .. concat(members, ',') .. '}'
end

-- The next revision of a collection, as text: the time in microseconds, or one
-- more than the last where that is not past.  So none comes twice, not even if
-- Redis lost what it had written.  touch() or reindex() is to store it, before
-- which this asks whether the user may also do the last that a change does: by
-- default Redis gives a user no channel.
local function next_revision(base)
    if not redis.acl_check_cmd('PUBLISH', base .. ':events', '') then
        fail('the user may not publish to ' .. name .. "'s events")
    end

    local time = call('TIME')
    local revision = time[1] * 1000000 + time[2]
    local last = tonumber(call('HGET', base .. ':revs', '_'))

    if last and last >= revision then
        revision = last + 1
    end

    return format('%.0f', revision)
end

local nowhere = { touching = { '_', '' } }

-- Gives the collection the new revision, and every index of the suffixes.
local function touch(base, revision, names)
    local touching = names.touching

    for i = 2, #touching, 2 do
        touching[i] = revision
    end

    call('HSET', base .. ':revs', unpack(touching))
end

-- Moves a task between indexes and gives every index that it is or was in the
-- new revision.  Indexes that neither the position nor a value of theirs
-- changed in are not touched.
local function reindex(base, revision, old_pos, old, new_pos, new)
    local revisions, gone = {}, {}

    for c = 1, #combinations do
        local before = old_pos and old[c]
        local after = new_pos and new[c]

        if before ~= after or old_pos ~= new_pos then
            if before then
                local key = index_key(base, before)
                call('ZREM', key, old_pos)

                if before ~= after then
                    if call('EXISTS', key) == 0 then
                        gone[#gone + 1] = before
                    else
                        revisions[#revisions + 1] = before
                        revisions[#revisions + 1] = revision
                    end
                end
            end

            if after then
                call('ZADD', index_key(base, after), 0, new_pos)
            end
        end
    end

    touch(base, revision, new or nowhere)

    if #revisions > 0 then
        call('HSET', base .. ':revs', unpack(revisions))
    end

    if #gone > 0 then
        call('HDEL', base .. ':revs', unpack(gone))
    end
end

local function publish(base, task_id, revision, status, event)
    call('PUBLISH', base .. ':events', '{"id":' .. quote(task_id)
         .. ',"revision":' .. revision
         .. ',"status":' .. (status or 'null')
         .. ',"event":"' .. event .. '"}')
end

-- Applies `changes` (field -> JSON text, or false to clear it) to a task whose
-- position and list values are given.  Returns the revision.  Position and
-- indexes are worked out only if a field that makes them is another one.
local function update(base, task_id, old_pos, old, changes, event)
    local new, stored, cleared = { unpack(old) }, {}, {}
    local created = not old_pos
    local listed, filed, moved = created, created, created

    for field, value in pairs(changes) do
        if value then
            stored[#stored + 1] = field
            stored[#stored + 1] = value
        else
            cleared[#cleared + 1] = field
        end

        local known = by_name[field]
        local slot = known.slot

        if known.listed and old[slot] ~= value then
            listed = true
            filed = filed or known.filter
            moved = moved or known.orders
        end

        if slot then
            new[slot] = value
        end
    end

    local new_pos = moved and position(new, task_id) or old_pos
    local revision = next_revision(base)
    local task = base .. ':task:' .. task_id

    if filed or moved then
        reindex(base, revision, old_pos, old_pos and suffixes(old),
                new_pos, suffixes(new))
    else
        touch(base, revision, listed and suffixes(old) or nowhere)
    end

    if listed then
        call('HSET', base .. ':rows', task_id, row_of(new, task_id))
    end

    stored[#stored + 1] = '_rev'
    stored[#stored + 1] = revision

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

    -- a client may be about to ask for what comes after it

    if id_cursors then
        call('SET', base .. ':gone:' .. task_id, pos, 'EX', 3600)
    end

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

        if value == 'null'
           or (field.absent_if and field.absent_if[value])
        then
            changes[field.name] = false
        elseif field.check(value) then
            changes[field.name] = value
        else
            fail(field.name .. ' is not a valid JSON ' .. field.type)
        end
    end

    local pos, old = load_task(base, task_id)

    for i = 1, #required do
        local change = changes[required[i]]

        if change == false or (not pos and change == nil) then
            fail(required[i] .. ' is required')
        end
    end

    return tonumber(update(base, task_id, pos, old, changes,
                           pos and 'updated' or 'created'))
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
    if status and cancel.unchanged[status] then
        return false
    end

    if cancel.from then
        return status and cancel.from[status]
    end

    return not (status and cancel.except[status])
end

local function try_to_cancel(base, task_id)
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

    for _, where in ipairs(cancel.where or {}) do
        local value = shown(old, where.field)

        if not (value and where.values[plain(value)]) then
            was[1] = 'unchanged'
            return was
        end
    end

    local changes = {}

    for _, set in ipairs(cancel.set) do
        if set.unix then
            changes[set.field] = now_unix(set.unix)
        elseif set.digits then
            changes[set.field] = now(set.digits, set.zone)
        else
            changes[set.field] = set.value
        end
    end

    update(base, task_id, pos, old, changes, 'cancelled')

    return was
end

-- What became of it, the state before as JSON and as plain text, and the
-- fields that are asked for, as they are then.
local function do_cancel(keys, args)
    local base, task_id = check_base(keys), check_id(args[1])
    local was = try_to_cancel(base, task_id)

    if args[2] and was[1] ~= 'missing' then
        local fields = call('HMGET', base .. ':task:' .. task_id,
                            unpack(args, 2))

        for i = 1, #fields do
            was[3 + i] = fields[i]
        end
    end

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
             '_rev', revision)
    end

    return #ids
end


return {
    put = put, put_if = put_if, cancel = do_cancel, remove = remove,
    prune = prune, rebuild = rebuild,
    page = build_page(fail, check_base, index_key),
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
