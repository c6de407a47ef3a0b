--- vim.notify for sentences that come by themselves. Neovim's own would answer a text wider than the screen with its
--- hit-enter prompt, which stops the editor and swallows a key of whoever is typing.
local M = {}

---Whether vim.notify is Neovim's own, which writes to the last line of the screen.
---@return boolean
local function stock()
  local info = debug.getinfo(vim.notify, "S")
  return info ~= nil and vim.startswith(info.source, "@vim/")
end

---@param text string
---@return string
local function fitted(text)
  local room = vim.v.echospace + vim.o.columns * math.max(vim.o.cmdheight - 1, 0)
  if vim.fn.strdisplaywidth(text) <= room then
    return text
  end
  return vim.fn.strcharpart(text, 0, math.max(room - 1, 0)) .. "…"
end

---Leave the whole of it in :messages, in pieces that each fit; what is written next stays on the screen.
---@param text string
---@param level integer
local function kept(text, level)
  local room = math.floor(math.max(vim.v.echospace, 10) / 2) -- in cells; a character has one or two
  for from = 0, vim.fn.strchars(text) - 1, room do
    vim.cmd.redraw()
    vim.notify(vim.fn.strcharpart(text, from, room), level)
  end
end

---@param text string
---@param level? integer
---@param options? table
---@return any record what the notifier gave back
local function notify(text, level, options)
  if stock() then
    local whole = text:gsub("%s*\n%s*", " ")
    text = fitted(whole)
    if text ~= whole and (level or 0) >= vim.log.levels.WARN then -- a reason must be readable to its end
      kept(whole, level)
    end
    vim.cmd.redraw() -- a second line below one that is still there would stop the editor as well
  end
  return vim.notify(text, level or vim.log.levels.INFO, options or { title = "ollama-locate" })
end

M.notify = notify

---@param text string
function M.warn(text)
  notify(text, vim.log.levels.WARN)
end

---@param text string
function M.fail(text)
  notify(text, vim.log.levels.ERROR)
end

return M
