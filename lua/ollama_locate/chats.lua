--- What CodeCompanion's events tell: which chats are open on the endpoint, and which answers are on their way.
local M = {}

local chats = {} ---@type table<integer, string> buffer -> model
local flying = {} ---@type table<any, string> request -> the endpoint it went to
local listening = false

---@param model string
local function load(model)
  require("ollama_locate.ensure").ensure(model, { quiet = true })
end

---@param bufnr integer
---@param model string
---@param options ollama_locate.ExtensionOptions
local function uses(bufnr, model, options)
  if chats[bufnr] ~= model then
    chats[bufnr] = model
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

---@param change ollama_locate.Change
---@param options ollama_locate.ExtensionOptions
local function moved(change, options)
  local state = require("ollama_locate.state")
  for _, url in pairs(flying) do
    if url == change.old then
      local sentence = "Your next message goes to %s; this answer still comes from %s."
      require("ollama_locate.say").notify(sentence:format(state.name(change.new), state.name(change.old)))
      break
    end
  end
  if options.load ~= false and change.source ~= "default" then -- nobody has seen an Ollama at the default
    for _, model in pairs(chats) do
      load(model)
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
    if type(data.adapter) == "table" and data.adapter.name == (options.name or "ollama") and data.id then
      flying[data.id] = require("ollama_locate").url()
    end
  end)
  on("RequestFinished", function(data)
    if data.id then
      flying[data.id] = nil
    end
  end)
  if not listening then
    listening = true
    require("ollama_locate.watch").on_change(function(change)
      moved(change, options)
    end)
  end
end

return M
