-- Which entries of a stream some group has not read to the end, in one step: read and pending belong together.
-- KEYS: the stream. ARGV: how many groups, the groups, then ids.
-- Returns the numbers of those ids, from 1. What is not on the stream any more was read by all.
local last = {}
if redis.call('EXISTS', KEYS[1]) == 1 then
    for _, info in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
        local group = {}
        for i = 1, #info, 2 do
            group[info[i]] = info[i + 1]
        end
        local ms, seq = group['last-delivered-id']:match('(%d+)-(%d+)')
        last[group.name] = { tonumber(ms), tonumber(seq) }
    end
end
local function waits(group, id)
    if not last[group] then
        return true
    end
    local ms, seq = id:match('(%d+)-(%d+)')
    ms, seq = tonumber(ms), tonumber(seq)
    if ms > last[group][1] or (ms == last[group][1] and seq > last[group][2]) then
        return true
    end
    return #redis.call('XPENDING', KEYS[1], group, id, id, 1) > 0
end
local unread, groups = {}, tonumber(ARGV[1])
for i = groups + 2, #ARGV do
    for g = 2, groups + 1 do
        if waits(ARGV[g], ARGV[i]) then
            unread[#unread + 1] = i - groups - 1
            break
        end
    end
end
return unread
