--- A few words for a statusline.
local M = {}

local MARK = { variable = " (by hand)", pin = " (pinned)", default = " (default)" }

---@return string
function M.text()
  require("ollama_locate.watch").start() -- so that the line is drawn again when the endpoint changes
  local state = require("ollama_locate.state")
  local url, source = require("ollama_locate.endpoint").find()
  local mark = MARK[source]
  if not mark then
    local decision = state.get().decision
    mark = decision and decision.verdict == "stale" and decision.endpoint == url and " (stale)" or ""
  end
  local chat = require("ollama_locate.settings").chat
  local place = chat and require("ollama_locate.models").where(chat)
  if place and place ~= url then
    mark = ("%s, %s on %s"):format(mark, chat:gsub("[^%w._:/-]", "?"), state.name(place))
  end
  local busy = require("ollama_locate.progress").text()
  return ("ollama %s%s%s"):format(state.name(url), mark, busy and ", " .. busy or "")
end

return M
