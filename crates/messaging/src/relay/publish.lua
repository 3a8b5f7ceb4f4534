-- Adds a batch to its streams and moves the mark with it. A stream that refuses an entry, such as a key of another type,
-- gets none of those that follow it either, so that its order is kept; the other streams are not held up.
-- KEYS: the mark, the streams. ARGV: the mark that Postgres has, the first mark of this relay's epoch, the first mark of
-- the next one; then of each entry the number of its stream, how many names and values follow, and those.
-- Returns what became of it, Redis' mark, the ids (empty for what was refused), and each refusing stream with its error.
local mark = tonumber(redis.call('GET', KEYS[1]) or '0')
if mark < tonumber(ARGV[1]) then
    return { 'lost', mark, {}, {} }
end
if mark >= tonumber(ARGV[3]) then
    return { 'superseded', mark, {}, {} }
end
local ids, refused, errors, added, at = {}, {}, {}, false, 4
while at < #ARGV do
    local stream, count = KEYS[1 + tonumber(ARGV[at])], tonumber(ARGV[at + 1])
    local id = ''
    if not refused[stream] then
        id = redis.pcall('XADD', stream, '*', unpack(ARGV, at + 2, at + 1 + count))
        if type(id) == 'table' then
            refused[stream] = true
            errors[#errors + 1] = stream
            errors[#errors + 1] = id.err
            id = ''
        else
            added = true
        end
    end
    ids[#ids + 1] = id
    at = at + 2 + count
end
-- A batch of its own number even after a crash before our commit, when Redis is ahead of Postgres.
if added then
    mark = math.max(mark + 1, tonumber(ARGV[2]))
    redis.call('SET', KEYS[1], string.format('%.0f', mark))
end
return { 'added', mark, ids, errors }
