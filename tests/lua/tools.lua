--- What the specs need: expectations, published files, notices, and a clock on the editor's loop.
local M = {}

M.ROOT = vim.fs.dirname(vim.fs.dirname(vim.fs.dirname(vim.fn.fnamemodify(debug.getinfo(1, "S").source:sub(2), ":p"))))
M.ONE = "http://100.64.0.2:11434"
M.TWO = "http://100.64.0.3:11434"
M.HOME = "http://localhost:11434"

---@param wanted any
---@param got any
---@param what? string
function M.eq(wanted, got, what)
  if not vim.deep_equal(wanted, got) then
    error(("%swanted %s, got %s"):format(what and what .. ": " or "", vim.inspect(wanted), vim.inspect(got)), 2)
  end
end

---@param text string
---@param part string plain
function M.has(text, part)
  if not text:find(part, 1, true) then
    error(("`%s` is not in: %s"):format(part, text), 2)
  end
end

---@return string
function M.folder()
  return (assert(os.getenv("OLLAMA_LOCATE_STATE_DIR")))
end

---Replace a file as the daemon does.
---@param name string
---@param text string
---@param folder? string
function M.put(name, text, folder)
  local path = (folder or M.folder()) .. "/" .. name
  local file = assert(io.open(path .. ".new", "wb"))
  file:write(text)
  file:close()
  assert(vim.uv.fs_rename(path .. ".new", path))
end

---Publish as the daemon does.
---@param url string
---@param more? table for state.json
function M.publish(url, more)
  M.put("env", ("OLLAMA_ENDPOINT=%s\nOLLAMA_LOCATE_APPLIED=OLLAMA_ENDPOINT=%s\n"):format(url, url))
  M.put("endpoint", url .. "\n")
  M.put("verdict", "fresh\n")
  local state = {
    schema = 1,
    decision = { verdict = "fresh", endpoint = url, server = "n2:11434", name = "gpu-box", reason = "tier" },
    servers = {
      {
        key = "n2:11434",
        name = "gpu-box",
        url = M.ONE,
        standing = "chosen",
        models = { "mistral:latest", "qwen3:8b" },
      },
      { key = "n3:11434", name = "nas", url = M.TWO, standing = "lower_tier" },
    },
  }
  state.decision.text = "it comes first in the order"
  M.put("state.json", vim.json.encode(vim.tbl_deep_extend("force", state, more or {})))
end

---Publish what the real command can read: tests/lua/publish.py.
---@param wanted { servers: string[][], lists: table<string, string[]>?, config: string? }
function M.publish_all(wanted)
  local command = { assert(os.getenv("PYTHON")), "-m", "tests.lua.publish", vim.json.encode(wanted) }
  local done = vim.system(command, { cwd = M.ROOT, text = true }):wait()
  M.eq(0, done.code, done.stderr)
end

---Put the real command `ollama-locate` on PATH.
function M.command()
  M.program("ollama-locate", ('exec "%s" "$@"'):format(os.getenv("COMMAND")))
end

---What an Ollama that notes it was asked.
---@param which? "ASKED"|"OTHER_ASKED"
---@return string[] "PATH MODEL"
function M.asked(which)
  return vim.tbl_map(function(line)
    local request = vim.json.decode(line)
    return request.path .. " " .. (request.body.model or "")
  end, vim.fn.readfile((assert(os.getenv(which or "ASKED")))))
end

---Answer each question.
---@param yes boolean
---@return string[] prompts
function M.answer(yes)
  local prompts = {} ---@type string[]
  vim.ui.select = function(items, options, choose)
    prompts[#prompts + 1] = options.prompt .. " " .. items[1] .. "?"
    choose(yes and items[1] or items[2])
  end
  return prompts
end

---Wait for a notice with these words.
---@param notices { text: string, level: integer? }[]
---@param part string
---@return { text: string, level: integer?, options: table? }
function M.said(notices, part)
  local found ---@type { text: string, level: integer? }?
  local ok = vim.wait(15000, function()
    for _, notice in ipairs(notices) do
      found = notice.text:find(part, 1, true) and notice or found
    end
    return found ~= nil
  end, 5)
  if not ok then
    error(("nobody said `%s`: %s"):format(part, vim.inspect(notices)), 2)
  end
  return (assert(found))
end

---Collect what vim.notify is given from now on.
---@return { text: string, level: integer?, options: table? }[]
function M.notices()
  local notices = {}
  vim.notify = function(text, level, options)
    notices[#notices + 1] = { text = text, level = level, options = options }
    return #notices
  end
  return notices
end

---@param condition fun(): any
---@param what string
---@param within? integer ms
function M.wait(condition, what, within)
  if not vim.wait(within or 5000, function()
    return condition() and true or false
  end, 5) then
    error("it did not come: " .. what, 2)
  end
end

---Let the loop run.
---@param ms integer
function M.pass(ms)
  vim.wait(ms, function()
    return false
  end, 5)
end

---Run `act`, in which the editor's loop must never stand still. To wait for a dead server would take seconds; what
---tests/real asserts at rest, 50 ms, other tests at the same time may take from us here.
---@param act fun()
function M.never_stands_still(act)
  local worst, last = 0, vim.uv.hrtime()
  local timer = vim.uv.new_timer()
  timer:start(1, 1, function()
    local now = vim.uv.hrtime()
    worst, last = math.max(worst, now - last), now
  end)
  act()
  M.pass(20)
  timer:close()
  if worst > 150e6 then
    error(("the editor stood still for %.0f ms"):format(worst / 1e6), 2)
  end
end

---A program of this name on PATH: a shell script.
---@param name string
---@param script string
function M.program(name, script)
  local folder = vim.fn.tempname()
  vim.fn.mkdir(folder, "p")
  local path = folder .. "/" .. name
  local file = assert(io.open(path, "w"))
  file:write("#!/bin/sh\n", script, "\n")
  file:close()
  assert(vim.uv.fs_chmod(path, 448)) -- 0700
  vim.env.PATH = folder .. ":" .. vim.env.PATH
end

return M
