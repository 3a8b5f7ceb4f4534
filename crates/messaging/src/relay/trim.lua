-- Drops what nobody needs any more, in one step: what was read, what is pending and what is dead belong together.
-- KEYS: the stream, its dead letters. ARGV: an id above which nothing is dropped, or nothing; how many dead letters to
-- look at; the groups that have to exist.
-- Returns the id below which all is dropped; of each group its name and the oldest entry that
-- it has not acknowledged; the ids of the events of which there are dead letters, one more than looked at for too many.
local needed = {}
if redis.call('EXISTS', KEYS[1]) == 1 then
    for _, info in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
        local group = {}
        for i = 1, #info, 2 do
            group[info[i]] = info[i + 1]
        end
        local ms, seq = group['last-delivered-id']:match('(%d+)-(%d+)')
        local next_id = string.format('%s-%.0f', ms, tonumber(seq) + 1)
        needed[group.name] = redis.call('XPENDING', KEYS[1], group.name)[2] or next_id
    end
end
-- A group that has to exist and does not will need everything.
for i = 3, #ARGV do
    needed[ARGV[i]] = needed[ARGV[i]] or '0-0'
end
local function is_before(one, other)
    local ms, seq = one:match('(%d+)-(%d+)')
    local other_ms, other_seq = other:match('(%d+)-(%d+)')
    ms, seq, other_ms, other_seq = tonumber(ms), tonumber(seq), tonumber(other_ms), tonumber(other_seq)
    return ms < other_ms or (ms == other_ms and seq < other_seq)
end
local lowest, waiting = ARGV[1], {}
for name, id in pairs(needed) do
    if lowest == '' or is_before(id, lowest) then
        lowest = id
    end
    local oldest = redis.call('XRANGE', KEYS[1], id, '+', 'COUNT', 1)[1]
    waiting[#waiting + 1] = { name, oldest and oldest[1] or '' }
end
local letters = {}
for _, letter in ipairs(redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', tonumber(ARGV[2]) + 1)) do
    for i = 1, #letter[2], 2 do
        if letter[2][i] == 'event_id' then
            letters[#letters + 1] = letter[2][i + 1]
        end
    end
end
redis.call('XTRIM', KEYS[1], 'MINID', '=', lowest)
return { lowest, waiting, letters }
