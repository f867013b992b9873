-- wrk: 50-row lists of rotating filters, those of pipeline.c.
--
--   wrk ... -s rotate.lua URL -- PATH SCOPE

local requests, next = {}, 0

function init(args)
    local statuses = { 'pending', 'running', 'completed', 'failed',
                       'cancelled' }

    for n = 0, 49 do
        local filter

        if n % 2 == 1 then
            filter = 'status=' .. statuses[math.floor(n / 2) % 5 + 1]
        else
            filter = 'project_id=' .. math.floor(n / 2) % 10
        end

        requests[n] = wrk.format('GET', args[1] .. '?scope=' .. args[2]
                                        .. '&limit=50&' .. filter)
    end
end

function request()
    next = (next + 1) % 50
    return requests[next]
end
