-- Writes the mark after a loss, unless Redis has lost more meanwhile.
-- KEYS: the mark. ARGV: the mark that was found, the mark to write.
if (redis.call('GET', KEYS[1]) or '0') == ARGV[1] then
    redis.call('SET', KEYS[1], ARGV[2])
end
