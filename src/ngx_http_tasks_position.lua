
-- Positions: what a task's members of the indexes are, made so that their
-- bytes sort as tasks are ordered.  Stands in front of
-- ngx_http_tasks_library.lua.

local function build_position(fail, by_name, values_of)

local byte, format, gsub = string.byte, string.format, string.gsub
local floor = math.floor

local plain, datetime = values_of.plain, values_of.datetime


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
    local code = byte(c)                   -- characters ask the locale
    local lead = code <= 33 and '!' or code <= 59 and ';' or '~'

    return format('%s%02X', lead, code)
end

-- KEY:ID; the key says where, and the id tells tasks of one key apart.
local function position(values, task_id)
    local field, value, key = order.field or id.field, nil, nil

    -- an id is plain text, what is stored of a field is JSON

    if order.field then
        value = values[by_name[field].slot]
    else
        value = order.type == 'integer' and task_id or '"' .. task_id .. '"'
    end

    if not value then
        fail(field .. ' is due: tasks are ordered by it')
    end

    if order.type == 'datetime' then
        -- 10^6 is 15625 * 64, and 15625 times the seconds fits a double
        local seconds, micros = datetime(value)

        if not seconds then
            fail(field .. ' is no date-time: tasks are ordered by it')
        end

        local part = seconds * 15625
        key = sortable(floor(part / 0x40000), part % 0x40000 * 64 + micros)

    elseif order.type == 'integer' then
        local n = tonumber(value)

        if n >= 2 ^ 53 or n <= -2 ^ 53 then
            fail(field .. ' is not below 2^53: it cannot be ordered by')
        end

        key = sortable(floor(n / 0x1000000), n % 0x1000000)

    else
        local text = order.field and plain(value) or task_id

        if #text > 512 then
            fail(field .. ' is longer than 512 bytes: it cannot be '
                 .. 'ordered by')
        end

        -- the space ends the key below whatever a longer string goes on with
        key = gsub(text, '[%z\1-!:;~\127]', escape_ordered) .. ' '
    end

    return key .. ':' .. task_id
end


return position

end
