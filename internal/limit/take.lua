-- Leave for one request that counts towards several limits: KEYS are the limits,
-- ARGV the microseconds from one request to the next of each, and how many may
-- come at once. Answers 0, and counts; or the microseconds to wait.
--
-- It is the generic cell rate algorithm: next is when the request after the last
-- one would come if all came evenly. factor is the share of the limit that is
-- made use of, and held until when nothing may be asked.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local wait = 0
local counted = {}
for i, key in ipairs(KEYS) do
  local interval, burst = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local had = redis.call('HMGET', key, 'next', 'factor', 'held')
  local next = tonumber(had[1] or now)
  local factor = tonumber(had[2] or 1)
  local held = tonumber(had[3] or 0)
  local each = interval / factor
  next = math.max(next, now)
  wait = math.max(wait, held - now, next - (burst - 1) * each - now)
  counted[i] = {next + each, math.min(1, factor + 0.02)}
end
if wait > 0 then
  return math.ceil(wait)
end
for i, key in ipairs(KEYS) do
  redis.call('HSET', key, 'next', string.format('%.0f', counted[i][1]), 'factor', string.format('%.4f', counted[i][2]))
  redis.call('PEXPIRE', key, 86400000)
end
return 0
