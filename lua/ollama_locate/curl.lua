--- One load of a model by an Ollama, by curl, which never blocks the editor.
local M = {}

local LIMIT = 1024 * 1024 -- Ollama's answer has some hundred bytes
local PATIENCE = 600 -- s: a large model from a slow disk

---@class ollama_locate.Answer
---@field status number HTTP's, 0 where nobody answered
---@field problem? string what went wrong, in the server's words or in curl's

---@param url string
---@return string[]
local function command(url)
  -- Without ~/.curlrc, and without a proxy: a tailnet's addresses mean nothing to one.
  local words = { "curl", "--disable", "--silent", "--show-error", "--globoff", "--noproxy", "*" }
  vim.list_extend(words, { "--connect-timeout", "3", "--max-time", tostring(PATIENCE) })
  vim.list_extend(words, { "--write-out", "\n%{http_code}", "--proto", "=http,https" })
  vim.list_extend(words, { "--header", "Content-Type: application/json" })
  return vim.list_extend(words, { "--data-binary", "@-", "--url", url .. "/api/generate" })
end

---Curl's exit codes in fewer words than its own.
local CODES = {
  [6] = "the server's name is not known",
  [7] = "the server cannot be reached",
  [28] = "the server did not answer in time",
  [52] = "the server hung up",
}

---What curl complains of.
---@param done vim.SystemCompleted
---@return string
function M.complaint(done)
  if done.signal ~= 0 then
    return "it was stopped"
  end
  local said = vim.trim((done.stderr or ""):gsub("^curl: %(%d+%) ", ""))
  return CODES[done.code] or said ~= "" and said or "curl ended with " .. done.code
end

---@param done vim.SystemCompleted
---@param text string what curl wrote
---@return ollama_locate.Answer
local function answer(done, text)
  local body, status = text:match("^(.*)\n(%d+)$")
  local found = { status = tonumber(status) or 0 } ---@type ollama_locate.Answer
  local ok, said = pcall(vim.json.decode, body or "")
  if #text > LIMIT then
    found.problem = "it answers with something that is not Ollama's"
  elseif done.code ~= 0 or done.signal ~= 0 then
    found.problem = M.complaint(done)
  elseif ok and type(said) == "table" and type(said.error) == "string" then
    found.problem = said.error
  elseif found.status ~= 200 then
    found.problem = "HTTP " .. found.status
  end
  return found
end

---@param url string of the server
---@param model string
---@param on_end fun(answer: ollama_locate.Answer) is called on the main loop
---@return fun() stop
function M.load(url, model, on_end)
  local body = { model = model, stream = false } -- no prompt: it is loaded, and nothing is generated
  local text = ""
  local process ---@type vim.SystemObj?
  local function stop()
    if process then
      process:kill("sigterm")
    end
  end
  local function take(_, piece)
    if #text > LIMIT then
      return stop()
    end
    text = text .. (piece or "")
  end
  local ok, started = pcall(vim.system, command(url), { stdin = vim.json.encode(body), stdout = take }, function(done)
    vim.schedule(function()
      on_end(answer(done, text))
    end)
  end)
  if ok then
    process = started --[[@as vim.SystemObj]]
  else
    vim.schedule(function()
      on_end({ status = 0, problem = "there is no curl on your PATH" })
    end)
  end
  return stop
end

return M
