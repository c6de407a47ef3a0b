--- state.json (docs/state.md): what the daemon knows of each server.
local files = require("ollama_locate.files")
local folder = require("ollama_locate.folder")
local marker = require("ollama_locate.marker")

local M = {}

---The fields that this plugin reads; there are more.
---@class ollama_locate.State
---@field schema? integer
---@field program? string the daemon's version
---@field decision? ollama_locate.Decision
---@field servers? ollama_locate.Server[]
---@field best? table<string, string> model -> the key of the best server for it
---@field aliases? table<string, string[]> the models that each of them means
---@field problems? string[]

---@class ollama_locate.Decision
---@field verdict "fresh"|"stale"|"none"
---@field endpoint string
---@field server? string the key of a server
---@field name string
---@field reason string
---@field text string
---@field since string

---@class ollama_locate.Server
---@field key string
---@field name string
---@field url string
---@field kind string
---@field standing string
---@field models? string[] nil while they are not known
---@field inventory? {name: string, can: string[]?}[] what is known of them

---@class ollama_locate.Model
---@field name string
---@field capabilities? string[]

local SCHEMA = 1
local LIMIT = 4 * 1024 * 1024 -- a server with 10,000 models is 2.8 MB; decoded in 80 ms, once for each writing
local warned = false

---@param text string
---@return ollama_locate.State?
local function parse(text)
  local state = vim.json.decode(text, { luanil = { object = true } })
  if type(state) ~= "table" or type(state.schema) ~= "number" then
    return nil
  end
  if state.schema <= SCHEMA then
    return state
  end
  if not warned then
    warned = true
    local sentence = "The daemon's state.json has schema %d, this plugin knows %d: update the plugin ollama-locate."
    vim.schedule(function()
      require("ollama_locate.say").warn(sentence:format(state.schema, SCHEMA))
    end)
  end
end

---@return ollama_locate.State
function M.get()
  local path = not marker.off() and folder.trusted()
  return path and files.parsed(path .. "/state.json", LIMIT, parse) or {}
end

---@return ollama_locate.Server[]
function M.servers()
  local servers = M.get().servers
  return type(servers) == "table" and servers or {}
end

---The server at this URL, if the daemon knows it.
---@param url string
---@return ollama_locate.Server?
function M.server(url)
  for _, server in ipairs(M.servers()) do
    if server.url == url then
      return server
    end
  end
end

---What to call the server at this URL in a sentence or a statusline.
---@param url string
---@return string
function M.name(url)
  local server = M.server(url)
  if server and type(server.name) == "string" and server.name ~= "" then
    return (server.name:gsub("[^%w%._ %-]", "?")) -- it came from the network
  end
  return (url:gsub("^%a+://", ""):gsub(":11434$", ""):gsub("[^%w%._:/%[%]%-]", "?"))
end

---The models at this URL as the daemon last saw them, nil where it does not know.
---@param url string
---@return ollama_locate.Model[]?
function M.models(url)
  local server = M.server(url)
  if not server or type(server.models) ~= "table" then
    return nil
  end
  local can = {} ---@type table<string, string[]>
  for _, known in ipairs(type(server.inventory) == "table" and server.inventory or {}) do
    if type(known) == "table" and type(known.name) == "string" and type(known.can) == "table" then
      can[known.name] = known.can
    end
  end
  local models = {} ---@type ollama_locate.Model[]
  for _, name in ipairs(server.models) do
    if type(name) == "string" then
      models[#models + 1] = { name = name, capabilities = can[name] }
    end
  end
  return models
end

---The name as servers list it: without what stands for Ollama's own registry, and with a tag.
---@param name string
---@return string
function M.full_name(name)
  name = name:gsub("^registry%.ollama%.ai/", ""):gsub("^library/", "")
  return name:find(":[^/]*$") and name or name .. ":latest"
end

---"mistral" and "mistral:latest" are one model.
---@param one string
---@param other string
---@return boolean
function M.same_model(one, other)
  return M.full_name(one) == M.full_name(other)
end

return M
