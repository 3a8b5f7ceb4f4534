-- Returns how long ago an entry was first tried in vain, by whichever process, and records it if this is the first time.
-- By the clock of Redis, which all processes share.
-- KEYS: the note. ARGV: for how many milliseconds it is kept.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local first = redis.call('GET', KEYS[1])
if first then
    return now - tonumber(first)
end
redis.call('SET', KEYS[1], string.format('%.0f', now), 'PX', ARGV[1])
return 0
