--- Published files: parsed once, and again when they have changed.
local uv = vim.uv ---@type uv

local M = {}

---@type table<string, { stamp: string, value: any }>
local cache = {}

---At most `limit` bytes of a regular file. Anything else at this path, a fifo say, would hang the editor.
---@param path string
---@param limit integer
---@return string? text
---@return string? stamp changes with each replacement
local function slurp(path, limit)
  local info = uv.fs_lstat(path)
  if not info or info.type ~= "file" or info.size > limit then
    return nil
  end
  -- The writer renames a new file into place: the inode differs even within one tick of the clock.
  local stamp = ("%d:%d:%d:%d"):format(info.ino, info.mtime.sec, info.mtime.nsec, info.size)
  local known = cache[path]
  if known and known.stamp == stamp then
    return nil, stamp
  end
  local fd = uv.fs_open(path, uv.constants.O_RDONLY + uv.constants.O_NONBLOCK, 0)
  if not fd then
    return nil
  end
  local text = uv.fs_read(fd, limit, 0)
  uv.fs_close(fd)
  return text, text and stamp
end

---What `parse` makes of the file; nil where there is none, or where `parse` fails.
---@generic T
---@param path string
---@param limit integer
---@param parse fun(text: string): T?
---@return T?
function M.parsed(path, limit, parse)
  local text, stamp = slurp(path, limit)
  if not stamp then
    cache[path] = nil
    return nil
  end
  if text then
    local ok, value = pcall(parse, text)
    cache[path] = { stamp = stamp, value = ok and value or nil }
  end
  return cache[path].value
end

return M
