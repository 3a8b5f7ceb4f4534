-- Makes a dead letter of a pending entry and acknowledges it: both or neither, and once, whoever else tries.
-- KEYS: the stream, its dead letters. ARGV: group, id, error, tries.
local group, id = ARGV[1], ARGV[2]
if #redis.call('XPENDING', KEYS[1], group, id, id, 1) == 0 then
    return
end
local entry = redis.call('XRANGE', KEYS[1], id, id)[1]
if entry then
    -- Lua passes no more than some 8,000 arguments; no event has as many.
    local letter = { unpack(entry[2], 1, math.min(#entry[2], 4000)) }
    for _, part in ipairs({ 'group', group, 'error', ARGV[3], 'tries', ARGV[4], 'entry_id', id }) do
        letter[#letter + 1] = part
    end
    redis.call('XADD', KEYS[2], '*', unpack(letter))
end
redis.call('XACK', KEYS[1], group, id)
