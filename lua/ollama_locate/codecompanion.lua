--- CodeCompanion on the live endpoint. Nothing asks for its version: what is there is looked at, v16 to v19.
local M = {}

---@class ollama_locate.ExtensionOptions
---@field model? string "mistral", unless the adapter that you have names another
---@field name? string the adapter's name, "ollama"
---@field load? boolean load the model when a chat opens; true

local NAME = "ollama"

---@return table
local function config()
  local module = require("codecompanion.config")
  return module.config or module
end

---@return table
local function http_adapters()
  local adapters = config().adapters ---@type table
  return type(adapters.http) == "table" and adapters.http or adapters -- `http` came with v17.18
end

---What CodeCompanion may know of a model. Where the server did not say, nothing: it then leaves tools and images on,
---while an empty table would turn them off.
---@param model ollama_locate.Model
---@return table
local function choice(model)
  local entry = { formatted_name = model.name }
  if type(model.capabilities) == "table" then
    local function has(what)
      return vim.list_contains(model.capabilities, what)
    end
    entry.opts = { can_use_tools = has("tools"), has_vision = has("vision"), can_reason = has("thinking") }
  end
  return entry
end

---The models that can be had, as the daemon saw them. CodeCompanion's own way to list them asks the server and blocks
---the editor for 3 s when that one is dead.
---@param default string is always among them: it may be pulled
---@return fun(): table<string, table>
local function choices(default)
  return function()
    local state = require("ollama_locate.state")
    ---@type table<string, table>
    local found = { [default] = choice({ name = default }) }
    for _, model in ipairs(require("ollama_locate.models").known()) do
      if state.same_model(model.name, default) then
        model.name = default
      end
      found[model.name] = choice(model)
    end
    return setmetatable(found, {
      -- A chat may say mistral:latest where the list says mistral.
      __index = function(_, name)
        for listed, entry in pairs(found) do
          if type(name) == "string" and state.same_model(listed, name) then
            return entry
          end
        end
      end,
    })
  end
end

---The model that a request will name.
---@param adapter? table
---@return string?
local function requested(adapter)
  local parameters = adapter and adapter.parameters
  local schema = adapter and adapter.schema and adapter.schema.model
  local model = type(parameters) == "table" and parameters.model or type(schema) == "table" and schema.default
  return type(model) == "string" and model or nil
end

---An adapter on the live endpoint.
---@param options? ollama_locate.ExtensionOptions
---@param base? string|table|fun(): table the adapter to start from; CodeCompanion's own for Ollama
---@return table
function M.adapter(options, base)
  options = options or {}
  local adapter = require("codecompanion.adapters").extend(base or "ollama", {
    name = options.name or NAME,
    env = {
      url = function(self) -- is called for every request
        return (require("ollama_locate").url({ model = requested(self) }))
      end,
    },
  })
  local model = adapter.schema.model
  local named = type(model.default) == "string" and model.default or nil -- the stock default asks the server
  local wanted = options.model or named or require("ollama_locate.settings").default_model()
  model.default = require("ollama_locate.models").real(wanted)
  if type(model.choices) ~= "table" then
    model.choices = choices(model.default)
  end
  return adapter
end

---Put the adapter in the place of the one that is there, whose other settings are kept.
---@param options? ollama_locate.ExtensionOptions
function M.install(options)
  options = options or {}
  local adapters, name = http_adapters(), options.name or NAME
  local before = adapters[name]
  local settings = require("ollama_locate.settings")
  settings.chat = options.model
  adapters[name] = function()
    local adapter = M.adapter(options, before)
    settings.chat = adapter.schema.model.default
    return adapter
  end
  require("ollama_locate.chats").start(options)
end

---@return boolean
local function here()
  if pcall(require, "codecompanion") then
    return true
  end
  require("ollama_locate.say").fail("codecompanion.nvim is not installed; the chats are its.")
  return false
end

---Open a chat on this adapter. Not by :CodeCompanionChat: each form of that command is, in some version, a *prompt*
---for the default adapter, which may be a paid one elsewhere. This call is understood by all from v16 to v19.
---@param name? string "ollama"
function M.chat(name)
  name = name or NAME
  if here() then
    local codecompanion = require("codecompanion") ---@type any
    codecompanion.chat({ params = { adapter = name }, fargs = { name }, args = "", range = 0 })
  end
end

local usual ---@type any the inline adapter before it was switched

---Switch the inline assistant to this adapter, and back to the one before at the next call.
---@param name? string "ollama"
function M.toggle_inline(name)
  name = name or NAME
  if not here() then
    return
  end
  local inline = (config().interactions or config().strategies).inline -- `interactions` came with v18
  if inline.adapter == name then
    inline.adapter = usual or inline.adapter
  else
    usual, inline.adapter = inline.adapter, name
  end
  local now = inline.adapter
  require("ollama_locate.say").notify(
    "The inline assistant uses " .. tostring(type(now) == "table" and now.name or now) .. " now."
  )
end

return M
