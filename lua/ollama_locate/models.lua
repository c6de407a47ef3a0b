--- Which server a model is asked of, by the daemon's own choice for it: the same as `ollama-locate --model`.
local endpoint = require("ollama_locate.endpoint")
local state = require("ollama_locate.state")

local M = {}

---Whether the endpoint is the daemon's choice. One that a person has set is for all models.
---@param source ollama_locate.Source
---@return boolean
local function chosen(source)
  return source == "file" or source == "pin"
end

---Model -> the key of its best server, by what the daemon has written.
---@return table<string, string>
local function best()
  local found = state.get().best
  return type(found) == "table" and found or {}
end

---The model that an alias of the config means now: the first that some server has. Any other name is left as it is.
---@param name string
---@return string
function M.real(name)
  local aliases = state.get().aliases
  local meant = type(aliases) == "table" and aliases[name]
  for _, model in ipairs(type(meant) == "table" and meant or {}) do
    if type(model) == "string" and best()[model] then
      return model
    end
  end
  return name
end

---The server to ask for this model: the best one that has it; the endpoint, where none is known to have it.
---@param name? string without one it is the endpoint
---@return string url
---@return ollama_locate.Source source
function M.where(name)
  local url, source = endpoint.find()
  local key = name and chosen(source) and best()[state.full_name(M.real(name))]
  for _, server in ipairs(key and state.servers() or {}) do
    if server.key == key and type(server.url) == "string" and endpoint.is_published(server.url) then
      return server.url, source
    end
  end
  return url, source
end

---Whether the server at this URL has it; nil where that is not known.
---@param url string
---@param name string
---@return boolean?
function M.has(url, name)
  local models = state.models(url)
  return models and vim.iter(models):any(function(model)
    return state.same_model(model.name, name)
  end)
end

---The models that can be had, each with what it can do where its server said so.
---@return ollama_locate.Model[]
function M.known()
  local url, source = endpoint.find()
  if not chosen(source) then
    return state.models(url) or {}
  end
  local found = {} ---@type ollama_locate.Model[]
  local at = best()
  for _, server in ipairs(state.servers()) do
    for _, model in ipairs(type(server.url) == "string" and state.models(server.url) or {}) do
      if at[model.name] == server.key then
        found[#found + 1] = model
      end
    end
  end
  return found
end

---What `:OllamaLocate ensure` can be given: their names, and the aliases of the config.
---@return string[]
function M.names()
  local found = {} ---@type string[]
  for _, model in ipairs(M.known()) do
    found[#found + 1] = model.name
  end
  local aliases = state.get().aliases
  for alias in pairs(type(aliases) == "table" and aliases or {}) do
    found[#found + 1] = alias
  end
  table.sort(found)
  return found
end

return M
