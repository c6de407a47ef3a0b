--- The live Ollama endpoint, read from the files that ollama-located keeps. Help: |ollama-locate|.
--- Nothing here touches the network, and each part loads when it is first used.
local M = {}

---@alias ollama_locate.Source "variable"|"pin"|"file"|"default"

---@class ollama_locate.Change
---@field old string the endpoint until now
---@field new string the endpoint from now on
---@field source ollama_locate.Source

---The endpoint to use right now, and where it comes from.
---A variable set by hand comes first, then a pin, then what was found, then localhost.
---May be called anywhere, luv callbacks included.
---@param opts? { suffix?: string, model?: string } `suffix`: a path to add, such as "/v1"; `model`: of the best server
---for this model, unless a variable was set by hand
---@return string url
---@return ollama_locate.Source source
function M.url(opts)
  local url, source = require("ollama_locate.models").where(opts and opts.model)
  return url .. (opts and opts.suffix or ""), source
end

---The decoded state.json (docs/state.md); {} where there is none that this plugin understands.
---@return ollama_locate.State
function M.state()
  return require("ollama_locate.state").get()
end

---Call `fn` on the main loop when the endpoint has changed; `User OllamaLocateChanged` tells the same.
---@param fn fun(change: ollama_locate.Change)
---@return fun() stop
function M.on_change(fn)
  return require("ollama_locate.watch").on_change(fn)
end

---A few words for a statusline. They never hold a `%`, so that they fit `%{}`, `%!` and lualine alike.
---@return string
function M.statusline()
  return require("ollama_locate.statusline").text()
end

---Load a model on the best server that has it; offer to pull it where none has.
---@param model? string
function M.ensure(model)
  require("ollama_locate.ensure").ensure(model)
end

---@class ollama_locate.Options
---@field export? boolean keep the variables of this Neovim true as well, for `:terminal` and other plugins
---@field model? string the model to load where none is named; the chats', else "mistral"

---Optional: it starts the events, and takes these settings.
---@param opts? ollama_locate.Options
function M.setup(opts)
  require("ollama_locate.settings").set(opts or {})
  require("ollama_locate.watch").start()
end

return M
