-- Adds a batch to its streams and moves the mark with it: all of it, or nothing that counts.
-- KEYS: the mark, the streams. ARGV: the mark that Postgres has; then of each entry the number of its stream,
-- how many names and values follow, and those.
-- Returns whether Redis has all it should have, its mark, the ids.
local mark = tonumber(redis.call('GET', KEYS[1]) or '0')
if mark < tonumber(ARGV[1]) then
    return { 0, mark, {} }
end
local ids, at = {}, 2
while at < #ARGV do
    local stream, count = KEYS[1 + tonumber(ARGV[at])], tonumber(ARGV[at + 1])
    ids[#ids + 1] = redis.call('XADD', stream, '*', unpack(ARGV, at + 2, at + 1 + count))
    at = at + 2 + count
end
-- A batch of its own number even after a crash before our commit, when Redis is ahead of Postgres.
if #ids > 0 then
    mark = mark + 1
    redis.call('SET', KEYS[1], mark)
end
return { 1, mark, ids }
