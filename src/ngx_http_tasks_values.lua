
-- Values as JSON text, and time: what is valid, and what it comes to.  Stands
-- in front of ngx_http_tasks_library.lua.

local function build_values()

local json = cjson.new()
json.decode_invalid_numbers(false)

local call = redis.call
local byte, find, format, gsub, match, sub =
      string.byte, string.find, string.format, string.gsub, string.match,
      string.sub
local floor = math.floor


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

-- What clients can ask for, and filters can be compared with.
local function is_int64(text)
    local sign, digits = match(text, '^(%-?)(%d+)$')
    local most = sign == '-' and '9223372036854775808' or '9223372036854775807'

    return is_integer(text)
           and (#digits < #most or #digits == #most and digits <= most)
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

    -- each slash comes with a backslash of its own, which JSON does not need

    return (gsub(json.encode(text), '\\/', '/'))
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

-- The same in units since the epoch, of which a second has `per`.
local function now_unix(per)
    local t = call('TIME')

    return format('%.0f', tonumber(t[1]) * per
                          + floor(tonumber(t[2]) / (1000000 / per)))
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


return {
    types = types, is_string = is_string, is_int64 = is_int64,
    is_utf8 = is_utf8, plain = plain, quote = quote, datetime = datetime,
    now = now, now_unix = now_unix,
}

end

