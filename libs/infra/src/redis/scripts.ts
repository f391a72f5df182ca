/**
 * What must happen in one step at the server. Each script names the hash of generations as its key; all other keys are made of
 * its hash tag `{environment}` and so are of the same slot of a cluster.
 *
 * A value is stored as `VERSION JSON`, a deleted one as `VERSION-`. ARGV[1] is the prefix of an environment's keys. The set
 * named like the generation lists its keys.
 */

/** Writes key and text when the version is newer, and says whether it was. Text compares as bytes: versions are [0-9a-f]. */
const SET_IF_NEWER = `
local function setIfNewer(generation, key, version, stored)
  local name = ARGV[1] .. generation .. ':' .. key
  local old = redis.call('GETRANGE', name, 0, 63)
  if old == '' then
    redis.call('SADD', ARGV[1] .. generation, key)
  elseif string.match(old, '^%x+') >= version then
    return false
  end
  redis.call('SET', name, stored)
  return true
end
`;

const CONFLICT = `
local function conflict(current, next)
  return redis.error_reply('GENERATION ' .. (current or '-') .. ' ' .. (next or '-'))
end
`;

const IDENTITY = `
local server = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
local history = string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)')
local generations = redis.call('HMGET', KEYS[1], 'current', 'whole')
return {server, history, generations[1], generations[2]}`;

export const SCRIPTS = {
  /** ARGV: prefix, channel, then key, version and stored text of each update. Answers a digit an update. */
  moonPut: `${SET_IF_NEWER}
local generations = redis.call('HMGET', KEYS[1], 'current', 'next')
local current, next = generations[1], generations[2]
if not current then return redis.error_reply('NOGENERATION the cache is empty') end
local applied = {}
for at = 3, #ARGV, 3 do
  local key, version, stored = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  if next then setIfNewer(next, key, version, stored) end
  if setIfNewer(current, key, version, stored) then
    redis.call('PUBLISH', ARGV[2], key .. '\\n' .. stored)
    applied[#applied + 1] = '1'
  else
    applied[#applied + 1] = '0'
  end
end
return table.concat(applied)`,

  /** ARGV: prefix, generation, then as moonPut. */
  moonFill: `${SET_IF_NEWER}${CONFLICT}
local generations = redis.call('HMGET', KEYS[1], 'current', 'next')
if generations[2] ~= ARGV[2] then return conflict(generations[1], generations[2]) end
local applied = {}
for at = 3, #ARGV, 3 do
  applied[#applied + 1] = setIfNewer(ARGV[2], ARGV[at], ARGV[at + 1], ARGV[at + 2]) and '1' or '0'
end
return table.concat(applied)`,

  /** ARGV: prefix, then keys. Answers generation, whether it is whole, and the stored texts. */
  moonGet: `
local generations = redis.call('HMGET', KEYS[1], 'current', 'whole')
if not generations[1] then return {false, false} end
local answer = {generations[1], generations[2]}
for at = 2, #ARGV do
  answer[at + 1] = redis.call('GET', ARGV[1] .. generations[1] .. ':' .. ARGV[at])
end
return answer`,

  /** ARGV: prefix, generation or '' for the present one, then keys. Answers the beginnings of the stored texts. */
  moonVersions: `
local generation = ARGV[2]
if generation == '' then generation = redis.call('HGET', KEYS[1], 'current') end
local answer = {}
for at = 3, #ARGV do
  answer[at - 2] = generation and redis.call('GETRANGE', ARGV[1] .. generation .. ':' .. ARGV[at], 0, 63) or ''
end
return answer`,

  /** Answers who serves this environment's keys, what it replicates, the present generation and whether that is whole. */
  moonIdentity: IDENTITY,

  /**
   * ARGV: prefix. The same of a server that takes writes; refused by one that does not (a replica, too few replicas, no memory,
   * no disk). An empty piece put into a key that is not there is such a write, and changes and leaves nothing.
   */
  moonProbe: `
redis.call('SETRANGE', ARGV[1] .. 'probe', 0, '')
${IDENTITY}`,

  /** ARGV: generation. */
  moonOpen: `
if redis.call('HSETNX', KEYS[1], 'current', ARGV[1]) == 1 then redis.call('HSET', KEYS[1], 'whole', '0') end
return redis.call('HMGET', KEYS[1], 'current', 'whole')`,

  /** ARGV: generation, channel. */
  moonComplete: `${CONFLICT}
local generations = redis.call('HMGET', KEYS[1], 'current', 'next')
if generations[1] ~= ARGV[1] then return conflict(generations[1], generations[2]) end
redis.call('HSET', KEYS[1], 'whole', '1')
redis.call('PUBLISH', ARGV[2], '\\n' .. ARGV[1])
return 'OK'`,

  /** ARGV: generation. */
  moonBegin: `${CONFLICT}
local generations = redis.call('HMGET', KEYS[1], 'current', 'next')
local current, next = generations[1], generations[2]
if not current or (next and next ~= ARGV[1]) or ARGV[1] <= current then return conflict(current, next) end
redis.call('HSET', KEYS[1], 'next', ARGV[1])
return 'OK'`,

  /** ARGV: generation, channel. */
  moonFlip: `${CONFLICT}
local generations = redis.call('HMGET', KEYS[1], 'current', 'next')
if generations[2] ~= ARGV[1] then return conflict(generations[1], generations[2]) end
redis.call('HSET', KEYS[1], 'current', ARGV[1], 'whole', '1')
redis.call('HDEL', KEYS[1], 'next')
redis.call('PUBLISH', ARGV[2], '\\n' .. ARGV[1])
return generations[1]`,

  /** ARGV: generation. */
  moonAbandon: `
if redis.call('HGET', KEYS[1], 'next') == ARGV[1] then redis.call('HDEL', KEYS[1], 'next') end
return 'OK'`,

  /**
   * ARGV: prefix, generation, most keys in one step. Answers how many were deleted; 0 when none are left. While the slot goes
   * to another node of a cluster EXISTS is refused, for no key has the prefix as its name: a key that is gone from the set but
   * deleted on the wrong node would stay for good.
   */
  moonDrop: `${CONFLICT}
redis.call('EXISTS', KEYS[1], ARGV[1])
local generations = redis.call('HMGET', KEYS[1], 'current', 'next')
if generations[1] == ARGV[2] or generations[2] == ARGV[2] then return conflict(generations[1], generations[2]) end
local keys = redis.call('SPOP', ARGV[1] .. ARGV[2], ARGV[3])
for _, key in ipairs(keys) do redis.call('UNLINK', ARGV[1] .. ARGV[2] .. ':' .. key) end
return #keys`,
} as const;

export type ScriptName = keyof typeof SCRIPTS;
