-- How far groups have come, in one step: read and pending belong together.
-- KEYS: the stream. ARGV: the groups.
-- Returns of each group the lowest id that it may still need, and the oldest entry that it has not acknowledged;
-- empty for none, and a group that does not exist may need everything.
local last = {}
if redis.call('EXISTS', KEYS[1]) == 1 then
    for _, info in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
        local group = {}
        for i = 1, #info, 2 do
            group[info[i]] = info[i + 1]
        end
        last[group.name] = group['last-delivered-id']
    end
end
local progress = {}
for i, name in ipairs(ARGV) do
    local needed = ''
    if last[name] then
        local ms, seq = last[name]:match('(%d+)-(%d+)')
        needed = redis.call('XPENDING', KEYS[1], name)[2] or string.format('%s-%.0f', ms, tonumber(seq) + 1)
    end
    local waiting = redis.call('XRANGE', KEYS[1], needed == '' and '-' or needed, '+', 'COUNT', 1)[1]
    progress[i] = { needed, waiting and waiting[1] or '' }
end
return progress
