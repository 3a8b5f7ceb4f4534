-- Removes consumers that are gone. In one step, since removing a consumer also drops what is pending with it.
-- KEYS: the stream. ARGV: group, the consumer that calls, milliseconds of idleness.
for _, info in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
    local consumer = {}
    for i = 1, #info, 2 do
        consumer[info[i]] = info[i + 1]
    end
    if consumer.name ~= ARGV[2] and consumer.pending == 0 and consumer.idle > tonumber(ARGV[3]) then
        redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], consumer.name)
    end
end
