-- The service wants to be left alone: KEYS[1] is the limit, ARGV[1] for how many
-- microseconds, ARGV[2] 1 if it refused a request, which halves the limit.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local had = redis.call('HMGET', KEYS[1], 'factor', 'held')
local held = math.max(tonumber(had[2] or 0), now + tonumber(ARGV[1]))
local factor = tonumber(had[1] or 1)
if ARGV[2] == '1' then
  factor = math.max(0.02, factor / 2)
end
redis.call('HSET', KEYS[1], 'held', string.format('%.0f', held), 'factor', string.format('%.4f', factor))
redis.call('PEXPIRE', KEYS[1], 86400000 + math.ceil(tonumber(ARGV[1]) / 1000))
return 0
