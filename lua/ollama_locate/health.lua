--- :checkhealth ollama_locate
local endpoint = require("ollama_locate.endpoint")
local folder = require("ollama_locate.folder")
local models = require("ollama_locate.models")
local program = require("ollama_locate.program")
local state = require("ollama_locate.state")
local status = require("ollama_locate.status")

local M = {}

local health = vim.health

local function daemon()
  health.start("The daemon and its files")
  local path = folder.path()
  if path then
    health.info("state folder: " .. path)
  end
  local sentence, good = status.daemon()
  if good then
    health.ok(sentence)
  else
    health.warn(sentence)
  end
  for _, problem in ipairs(state.get().problems or {}) do
    health.warn("The daemon says: " .. tostring(problem))
  end
  local watching = require("ollama_locate.watch").watching()
  if watching then
    health.ok("Changes are noticed at once.")
  else
    health.info("Changes are not watched yet; setup(), on_change(), statusline() or the extension starts that.")
  end
end

---@param url string
local function look(url)
  local words = { "curl", "-q", "-sS", "-g", "--noproxy", "*", "--max-time", "3", "-w", "\n%{http_code} %{time_total}" }
  local ok, running = pcall(vim.system, vim.list_extend(words, { "--url", url .. "/api/version" }))
  if not ok then
    return health.error("There is no curl on your PATH; CodeCompanion and this plugin need it.")
  end
  local done = (running --[[@as vim.SystemObj]]):wait(3500)
  local body, code, seconds = (done.stdout or ""):match("^(.*)\n(%d+) ([%d.]+)$")
  if done.code ~= 0 then
    return health.error(("It does not answer: %s."):format(require("ollama_locate.curl").complaint(done)), {
      "`ollama-locate why` says what is known of each server.",
    })
  end
  local decoded, answer = pcall(vim.json.decode, body or "")
  if code ~= "200" or not decoded or type(answer) ~= "table" or type(answer.version) ~= "string" then
    return health.error(("Something answers there, with HTTP %s, and it is not Ollama."):format(code))
  end
  local version = answer.version:gsub("[^%w._-]", "?")
  health.ok(("Ollama %s answers in %.0f ms."):format(version, (tonumber(seconds) or 0) * 1000))
end

---@param url string
---@param source ollama_locate.Source
local function shadow(url, source)
  if source ~= "variable" then
    return
  end
  local found = endpoint.published()[endpoint.VARIABLE]
  if found and found ~= url then
    health.warn(("OLLAMA_ENDPOINT was set by hand and hides what the daemon found, %s."):format(found), {
      "To follow the daemon here: :let $OLLAMA_ENDPOINT = ''",
    })
  end
  if not url:find("^https?://[^%s/]+") then
    health.warn(("`%s` does not look like the URL of a server."):format(url))
  end
end

---@param url string the endpoint
---@param source ollama_locate.Source
---@param model string
local function model_is_there(url, source, model)
  local place = models.where(model)
  local has = models.has(place, model)
  if has and place == url then
    health.ok(("%s is there."):format(model))
  elseif has then
    health.ok(("%s is on %s, and requests for it go there."):format(model, state.name(place)))
  elseif has == false then
    local nobody = (source == "file" or source == "pin") and "%s is on no server." or "%s is not among its models."
    health.warn(nobody:format(model), { ":OllamaLocate ensure " .. model })
  end
end

---@param model string
local function server(model)
  health.start("The endpoint")
  local url, source = endpoint.find()
  health.info(("%s, %s (%s)"):format(url, state.name(url), status.SOURCE[source]))
  shadow(url, source)
  look(url)
  model_is_there(url, source, model)
end

local function command()
  if program.here() then
    return health.ok(("The command `%s` is on your PATH."):format(program.NAME))
  end
  local lacks = "The command `%s` is not on your PATH: models cannot be pulled, nor servers pinned."
  health.warn(lacks:format(program.NAME), { "The project's README says how to install it." })
end

---CodeCompanion's adapter, as it is resolved.
---@return table?
---@return string? problem
local function resolved()
  local ok, adapter = pcall(function()
    return require("codecompanion.adapters").resolve("ollama")
  end)
  if ok and type(adapter) == "table" then
    return adapter
  end
  return nil, tostring(adapter)
end

---The model of a new chat, else the one that is meant where none is named.
---@param adapter? table
---@return string
local function configured(adapter)
  local schema = adapter and type(adapter.schema) == "table" and adapter.schema.model
  local named = type(schema) == "table" and schema.default
  return type(named) == "string" and named or require("ollama_locate.settings").default_model()
end

---@param adapter? table
---@param problem? string
local function codecompanion(adapter, problem)
  health.start("CodeCompanion")
  if not pcall(require, "codecompanion") then
    return health.info("codecompanion.nvim is not installed.")
  end
  if not adapter then
    return health.error("CodeCompanion cannot resolve its adapter `ollama`: " .. tostring(problem))
  end
  local wanted = models.where(configured(adapter))
  local given = type(adapter.env) == "table" and adapter.env.url
  if type(given) == "function" then
    local called, value = pcall(given, adapter)
    given = called and value or nil
  end
  if given == wanted then
    health.ok(("Its adapter `ollama` sends to %s."):format(wanted))
  else
    health.error(("Its adapter `ollama` sends to %s, not to %s."):format(tostring(given), wanted), {
      'In require("codecompanion").setup: extensions = { ollama_locate = { opts = { model = "mistral" } } }',
    })
  end
end

function M.check()
  local adapter, problem = resolved()
  daemon()
  command()
  server(configured(adapter))
  codecompanion(adapter, problem)
end

return M
