-- Names of keys, and what becomes a part of them.  Stands in front of
-- ngx_http_tasks_library.lua.

local function build_keys(fail, values_of)

local byte, find, format, gsub, match =
      string.byte, string.find, string.format, string.gsub, string.match


local function escape(c)
    return format('%%%02X', byte(c))
end

local unscoped = 'tasks:{' .. name .. '}'
local scoped = '^tasks:{' .. name .. ':([%w%._~%%-]+)}$'

-- A scope is written in one way, that of nginx, or it would be another one.
local function is_escaped(scope)
    local text = gsub(scope, '%%(%x%x)', function(digits)
        return string.char(tonumber(digits, 16))
    end)

    return gsub(text, '[^%w%._~-]', escape) == scope
end

local function check_base(keys)
    local base = keys[1]

    if #keys == 1 and base == unscoped then
        return base
    end

    local scope = #keys == 1 and match(base, scoped)

    if not scope or (find(scope, '%', 1, true) and not is_escaped(scope)) then
        fail('one key is due: tasks:{' .. name .. '} or tasks:{' .. name
             .. ':SCOPE}, all but A-Z a-z 0-9 . _ ~ - escaped as %2F')
    end

    return base
end

local uuid = '^' .. gsub(gsub('8-4-4-4-12', '%-', '%%-'), '%d+',
    function(n) return string.rep('[0-9a-f]', tonumber(n)) end) .. '$'

local function check_id(text)
    if not text or text == '' then
        fail('an id is due')
    end

    if #text > id.max_length then
        fail('the id is longer than ' .. id.max_length .. ' bytes')
    end

    if id.type == 'integer' then
        if not values_of.is_int64(text) then
            fail('the id is not an integer of 64 bits')
        end

    elseif id.type == 'uuid' then
        if not find(text, uuid) then
            fail('the id is not a UUID in lower case')
        end

    elseif find(text, '[%z\1-\31\127]') or not values_of.is_utf8(text) then
        fail('the id holds control characters or ill-formed UTF-8')
    end

    return text
end

local function index_key(base, suffix)
    return suffix == '' and base .. ':index' or base .. ':index:' .. suffix
end


return {
    escape = escape, index_key = index_key,
    check_base = check_base, check_id = check_id,
}

end
