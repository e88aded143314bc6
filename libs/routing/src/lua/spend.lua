-- Takes what a node has let through out of buckets that refill, and answers what each holds now; below zero is a debt.
-- KEYS: the buckets. ARGV, three a bucket: tokens a second, the most that it holds, what was spent.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local answer = {}
for i = 1, #KEYS do
  local perMs, burst, spent = tonumber(ARGV[3 * i - 2]) / 1000, tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
  local held, at = string.match(redis.call('GET', KEYS[i]) or '', '^(%-?[%d.]+) (%d+)$')
  -- The clock of Redis may have been set back: then nothing has come in meanwhile.
  local since = math.max(0, now - (tonumber(at) or now))
  local tokens = math.min(burst, (tonumber(held) or burst) + since * perMs) - spent
  -- A full one need not be remembered.
  local fullMs = math.max(1, math.min(604800000, math.ceil((burst - tokens) / perMs)))
  redis.call('SET', KEYS[i], string.format('%.3f %.0f', tokens, now), 'PX', string.format('%.0f', fullMs))
  answer[i] = string.format('%.3f', tokens)
end
return answer
