-- Claims keys of 16 bytes for a batch. It uses nothing that an older Redis or
-- the embedded one lacks.
--
-- KEYS  the claims: key -> batch; the counts: batch -> how many keys it holds;
--       the import's list of generations
-- ARGV  the batch, the time to live in seconds, the generation, the keys
-- Replies with a digit for each key, 1 if the batch holds it, and how many keys
-- the batches up to this one hold.
local claims, counts, generations = KEYS[1], KEYS[2], KEYS[3]
local owner, packed = tonumber(ARGV[1]), ARGV[4]

local answers, gained = {}, 0
for at = 1, #packed, 16 do
  local key = string.sub(packed, at, at + 15)
  local answer = '1'
  if redis.call('HSETNX', claims, key, ARGV[1]) == 1 then
    gained = gained + 1
  else
    local holder = tonumber(redis.call('HGET', claims, key)) or -1
    if holder > owner then
      redis.call('HSET', claims, key, ARGV[1])
      redis.call('HINCRBY', counts, holder, -1)
      gained = gained + 1
    elseif holder < owner then
      answer = '0'
    end
  end
  answers[#answers + 1] = answer
end

if gained > 0 then
  redis.call('HINCRBY', counts, ARGV[1], gained)
end
local last = tonumber(redis.call('HGET', counts, 'last')) or owner
if last <= owner then
  last = owner
  redis.call('HSET', counts, 'last', ARGV[1])
end

-- Attempts that were thought dead get a group ahead at the most. More is not
-- ours, and no size tells the caller so.
local size = redis.call('HLEN', claims)
if last - owner > 1000 then
  size = -1
else
  for later = owner + 1, last do
    size = size - (tonumber(redis.call('HGET', counts, later)) or 0)
  end
end

redis.call('SADD', generations, ARGV[3])
for _, key in ipairs(KEYS) do
  redis.call('EXPIRE', key, ARGV[2])
end
return {table.concat(answers), size}
