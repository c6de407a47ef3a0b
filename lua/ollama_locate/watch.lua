--- Notices that the endpoint has changed. Only the events need this: url() is right without it.
--- The folder is watched, not the files: a watch on a file ends with its inode, at the first replacement.
local endpoint = require("ollama_locate.endpoint")
local folder = require("ollama_locate.folder")
local uv = vim.uv ---@type uv

local M = {}

local DEBOUNCE = 50 -- ms: the files of one publication are renamed one after the other
local PULSE = 10000 -- ms: finds a folder that was made, or moved, after the watch had started

---@type (fun(change: ollama_locate.Change))[]
local listeners = {}
---@type fun()[]
local lookers = {}
local event ---@type uv.FsEvent?
local watched ---@type string? path and inode of the folder
local debounce = uv.new_timer()
local pulse ---@type uv.Timer?
local last ---@type string?

---@param change ollama_locate.Change
local function tell(change)
  for _, fn in ipairs(vim.list_slice(listeners)) do
    local ok, problem = pcall(fn, change)
    if not ok then
      require("ollama_locate.say").fail("A function given to on_change failed: " .. tostring(problem))
    end
  end
  vim.api.nvim_exec_autocmds("User", { pattern = "OllamaLocateChanged", modeline = false, data = change })
end

---Look now; tell everybody if the endpoint is another one. Not for luv callbacks.
function M.check()
  if require("ollama_locate.settings").export then
    require("ollama_locate.marker").apply(endpoint.published())
  end
  local url, source = endpoint.find()
  local old = last
  last = url
  if old and old ~= url then
    tell({ old = old, new = url, source = source })
  end
  for _, fn in ipairs(lookers) do
    fn()
  end
  vim.cmd.redrawstatus({ bang = true })
end

---@type fun()
local check_soon = vim.schedule_wrap(function()
  M.check()
end)

local function unwatch()
  if event and not event:is_closing() then
    event:close()
  end
  event, watched = nil, nil
end

---Watch the folder that is read now, if it is not the one that is watched already.
---@return boolean changed
local function rewatch()
  local path = folder.trusted()
  local info = path and uv.fs_stat(path)
  local wanted = info and ("%s:%d:%d"):format(path, info.dev, info.ino) or nil
  if wanted == watched then
    return false
  end
  unwatch()
  if not path or not wanted then
    return true
  end
  local handle = uv.new_fs_event()
  local started = handle:start(path, {}, function()
    debounce:start(DEBOUNCE, 0, check_soon)
  end)
  if started then
    event, watched = handle, wanted
  else
    handle:close() -- no watches left on this machine, say; the pulse tries again, and looks by itself
  end
  return true
end

---Start to watch; a second time does nothing.
function M.start()
  if pulse then
    return
  end
  local timer = uv.new_timer()
  pulse = timer
  rewatch()
  M.check()
  timer:start(PULSE, PULSE, function()
    if rewatch() or not event then
      check_soon()
    end
  end)
  vim.api.nvim_create_autocmd({ "FocusGained", "VimResume" }, {
    group = vim.api.nvim_create_augroup("ollama_locate.watch", { clear = true }),
    callback = function()
      rewatch()
      M.check()
    end,
  })
end

---Call `fn` at each look, whatever has changed: the best server for a model may move alone.
---@param fn fun()
function M.on_look(fn)
  lookers[#lookers + 1] = fn
  M.start()
end

---@return string? path the folder that is watched
function M.watching()
  return watched and watched:match("^(.*):%d+:%d+$")
end

---@param fn fun(change: ollama_locate.Change)
---@return fun() stop
function M.on_change(fn)
  -- Wrapped, so that a function given twice is stopped one at a time.
  local listener = function(change)
    fn(change)
  end
  listeners[#listeners + 1] = listener
  M.start()
  return function()
    for place, each in ipairs(listeners) do
      if each == listener then
        table.remove(listeners, place)
        return
      end
    end
  end
end

return M
