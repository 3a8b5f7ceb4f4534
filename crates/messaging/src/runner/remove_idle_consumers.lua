-- Forgets members that are gone. In one step, since forgetting a member also forgets what is pending with it.
-- KEYS: the stream. ARGV: group, the member that asks, milliseconds of idleness.
for _, info in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
    local member = {}
    for i = 1, #info, 2 do
        member[info[i]] = info[i + 1]
    end
    if member.name ~= ARGV[2] and member.pending == 0 and member.idle > tonumber(ARGV[3]) then
        redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], member.name)
    end
end
