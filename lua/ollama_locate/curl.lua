--- One POST of JSON to an Ollama, by curl, which never blocks the editor.
local M = {}

local LINE_LIMIT = 1024 * 1024 -- Ollama's lines have some hundred bytes

---@class ollama_locate.Answer
---@field status number HTTP's, 0 where nobody answered
---@field problem? string what went wrong, in the server's words or in curl's
---@field last table the last line of JSON

---@class ollama_locate.Post
---@field url string
---@field body table
---@field patience string[] curl's options for how long to wait
---@field on_line? fun(line: table) is called outside the main loop
---@field on_end fun(answer: ollama_locate.Answer) is called on the main loop

---@param post ollama_locate.Post
---@return string[]
local function command(post)
  -- Without ~/.curlrc, and without a proxy: a tailnet's addresses mean nothing to one.
  local words = { "curl", "--disable", "--silent", "--show-error", "--no-buffer", "--globoff", "--noproxy", "*" }
  vim.list_extend(words, { "--connect-timeout", "3", "--write-out", "\n%{http_code}\n" })
  vim.list_extend(words, post.patience)
  vim.list_extend(words, { "--proto", "=http,https", "--header", "Content-Type: application/json" })
  return vim.list_extend(words, { "--data-binary", "@-", "--url", post.url })
end

---@param answer ollama_locate.Answer
---@param line string
---@param on_line? fun(line: table)
local function take(answer, line, on_line)
  local ok, value = pcall(vim.json.decode, line, { luanil = { object = true } })
  if ok and type(value) == "number" then
    answer.status = value -- what --write-out adds
  elseif ok and type(value) == "table" then
    answer.last = value
    if type(value.error) == "string" then
      answer.problem = value.error -- a pull that fails says so in a line, after "200 OK"
    elseif on_line then
      on_line(value)
    end
  end
end

---Takes pieces of text, and whole lines out of them.
---@param answer ollama_locate.Answer
---@param on_line? fun(line: table)
---@return fun(piece: string): boolean fits false once a line is longer than any of Ollama's
local function reader(answer, on_line)
  local rest = ""
  return function(piece)
    rest = rest .. piece
    local from = 1
    local stop = rest:find("\n", from, true)
    while stop do
      take(answer, rest:sub(from, stop - 1), on_line)
      from = stop + 1
      stop = rest:find("\n", from, true)
    end
    rest = rest:sub(from)
    return #rest <= LINE_LIMIT
  end
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
  local said = vim.trim((done.stderr or ""):gsub("^curl: %(%d+%) ", ""))
  return CODES[done.code] or said ~= "" and said or "curl ended with " .. done.code
end

---@param answer ollama_locate.Answer
---@param done vim.SystemCompleted
local function conclude(answer, done)
  if answer.problem then
    return
  elseif done.code ~= 0 then
    answer.problem = M.complaint(done)
  elseif answer.status ~= 200 then
    answer.problem = "HTTP " .. answer.status
  end
end

---@param post ollama_locate.Post
function M.post(post)
  local answer = { status = 0, last = {} } ---@type ollama_locate.Answer
  local read = reader(answer, post.on_line)
  local process ---@type vim.SystemObj?
  local function on_stdout(_, piece)
    if piece and not read(piece) and process then
      answer.problem = "it answers with something that is not Ollama's"
      process:kill("sigterm")
    end
  end
  local ok, started = pcall(vim.system, command(post), {
    stdin = vim.json.encode(post.body),
    stdout = on_stdout,
  }, function(done)
    conclude(answer, done)
    vim.schedule(function()
      post.on_end(answer)
    end)
  end)
  if ok then
    process = started --[[@as vim.SystemObj]]
  else
    answer.problem = "there is no curl on your PATH"
    vim.schedule(function()
      post.on_end(answer)
    end)
  end
end

return M
