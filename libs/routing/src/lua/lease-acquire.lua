-- Gives a node a lease under a new generation, which fences every older one.
-- KEYS: the leases. ARGV: the node, its info, a generation that the new one must be above.
-- A lease is `state swept beatAt info`. Answers the generation: the time in ms, or one more than the highest known, so
-- that it rises even when this hash was lost.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local generation = math.max(now, tonumber(ARGV[3]) + 1)
local leases = redis.call('HGETALL', KEYS[1])
for i = 1, #leases, 2 do
  local node, older = string.match(leases[i], '^(.*):(%d+)$')
  if node == ARGV[1] then
    generation = math.max(generation, tonumber(older) + 1)
    local rest = string.match(leases[i + 1], '^live( .*)$')
    if rest then
      redis.call('HSET', KEYS[1], leases[i], 'expired' .. rest)
    end
  end
end
local text = string.format('%.0f', generation)
redis.call('HSET', KEYS[1], ARGV[1] .. ':' .. text, string.format('live 0 %.0f %s', now, ARGV[2]))
return text
