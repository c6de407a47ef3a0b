--- What CodeCompanion's events tell: which chats are open on Ollama, and which answers are on their way.
local M = {}

---@class ollama_locate.Asked
---@field model? string
---@field url string the server that it goes to
---@field told? boolean that the next one goes to another

local chats = {} ---@type table<integer, ollama_locate.Asked> by their buffers
local flying = {} ---@type table<any, ollama_locate.Asked> requests that are not answered yet
local listening = false

---@param model string
local function load(model)
  require("ollama_locate.ensure").ensure(model, { quiet = true })
end

---@param model? string
---@return string url
---@return ollama_locate.Source source
local function where(model)
  return require("ollama_locate.models").where(model)
end

---@param bufnr integer
---@param model string
---@param options ollama_locate.ExtensionOptions
local function uses(bufnr, model, options)
  if not chats[bufnr] or chats[bufnr].model ~= model then
    chats[bufnr] = { model = model, url = (where(model)) }
    if options.load ~= false then
      load(model)
    end
  end
end

---An adapter was chosen, at the start or later; nil when the chat was closed.
---@param data table
---@param options ollama_locate.ExtensionOptions
local function adapter_chosen(data, options)
  local adapter = type(data.adapter) == "table" and data.adapter or {}
  if adapter.name ~= (options.name or "ollama") then
    chats[data.bufnr] = nil
    return
  end
  local model = type(adapter.model) == "table" and adapter.model.name
  if type(model) == "string" then
    uses(data.bufnr, model, options)
  end
end

---@param data table
---@param options ollama_locate.ExtensionOptions
local function model_chosen(data, options)
  local name = type(data.adapter) == "table" and data.adapter.name
  local ours = chats[data.bufnr] ~= nil or name == (options.name or "ollama")
  if ours and type(data.model) == "string" then
    uses(data.bufnr, data.model, options)
  end
end

---The server of a model may be another one now, because the endpoint is, or alone.
---@param options ollama_locate.ExtensionOptions
local function looked(options)
  local state = require("ollama_locate.state")
  for _, request in pairs(flying) do
    local now = where(request.model)
    if now ~= request.url and not request.told then
      request.told = true
      local sentence = "Your next message goes to %s; this answer still comes from %s."
      require("ollama_locate.say").notify(sentence:format(state.name(now), state.name(request.url)))
    end
  end
  for _, chat in pairs(chats) do
    local now, source = where(chat.model)
    local moved = now ~= chat.url
    chat.url = now
    if moved and options.load ~= false and source ~= "default" then -- nobody has seen an Ollama at the default
      load(chat.model)
    end
  end
end

---@param options ollama_locate.ExtensionOptions
function M.start(options)
  local group = vim.api.nvim_create_augroup("ollama_locate.chats", { clear = true })
  local function on(event, act)
    vim.api.nvim_create_autocmd("User", {
      group = group,
      pattern = "CodeCompanion" .. event,
      callback = function(args)
        act(type(args.data) == "table" and args.data or {})
      end,
    })
  end
  on("ChatAdapter", function(data)
    adapter_chosen(data, options)
  end)
  on("ChatModel", function(data)
    model_chosen(data, options)
  end)
  on("RequestStarted", function(data)
    local adapter = type(data.adapter) == "table" and data.adapter or {}
    if adapter.name == (options.name or "ollama") and data.id then
      local model = type(adapter.model) == "string" and adapter.model or nil
      flying[data.id] = { model = model, url = (where(model)) }
    end
  end)
  on("RequestFinished", function(data)
    if data.id then
      flying[data.id] = nil
    end
  end)
  if not listening then
    listening = true
    require("ollama_locate.watch").on_look(function()
      looked(options)
    end)
  end
end

return M
