--- Loading and pulling, against a server that speaks HTTP.
local t = require("tools")

---@return { path: string, body: table }[]
local function asked()
  return vim.tbl_map(vim.json.decode, vim.fn.readfile((assert(os.getenv("ASKED")))))
end

---@param yes boolean
---@return string[] prompts
local function answer_with(yes)
  local prompts = {}
  vim.ui.select = function(items, options, choose)
    prompts[#prompts + 1] = options.prompt .. " " .. items[1] .. "?"
    choose(yes and items[1] or items[2])
  end
  return prompts
end

---@return { text: string, level: integer?, options: table? }[] notices
---@return string[] prompts
local function start(model, yes)
  local server = assert(os.getenv("PULLER"))
  t.publish(server, { servers = { { name = "gpu-box", url = server } } })
  local notices, prompts = t.notices(), answer_with(yes)
  vim.cmd("runtime plugin/ollama_locate.lua")
  vim.cmd("OllamaLocate ensure " .. model)
  return notices, prompts
end

---@param notices { text: string, level: integer? }[]
---@param part string
---@return { text: string, level: integer? }
local function said(notices, part)
  local found ---@type { text: string, level: integer? }?
  t.wait(function()
    for _, notice in ipairs(notices) do
      if notice.text:find(part, 1, true) then
        found = notice
      end
    end
    return found
  end, part)
  return (assert(found))
end

return {
  {
    "a model that is there is loaded, without a prompt",
    function()
      local notices, prompts = start("mistral", true)
      t.eq("ollama gpu-box, loading mistral", require("ollama_locate").statusline())
      said(notices, "mistral is loaded on gpu-box.")
      t.eq({ { path = "/api/generate", body = { model = "mistral", stream = false } } }, asked())
      t.eq({}, prompts)
      t.eq("ollama gpu-box", require("ollama_locate").statusline())
    end,
  },
  {
    "the default model is mistral",
    function()
      said(start("", true), "mistral is loaded on gpu-box.")
    end,
  },
  {
    "one that is missing is offered, pulled with progress, and loaded",
    function()
      local notices, prompts = start("absent", true)
      local lines = {} ---@type table<string, boolean>
      t.wait(function()
        lines[require("ollama_locate").statusline()] = true
        return notices[#notices] and notices[#notices].text == "absent is loaded on gpu-box."
      end, "it is loaded", 20000)
      t.eq({ "absent is not on gpu-box. Pull absent to gpu-box?" }, prompts)
      local paths = vim.tbl_map(function(request)
        return request.path
      end, asked())
      t.eq({ "/api/generate", "/api/pull", "/api/generate" }, paths)
      local steps = 0
      for line in pairs(lines) do
        steps = steps + (line:find("^ollama gpu%-box, absent %d+%.%d/200%.0 MB$") and 1 or 0)
        assert(not line:find("%", 1, true), line)
      end
      assert(steps >= 1, "the statusline shows how far it is: " .. vim.inspect(lines))
      -- 1,200 lines came in 1.5 s: a notification a second, and the last ones.
      assert(#notices <= 6, vim.inspect(notices))
      t.eq(notices[1].options.id, notices[2].options.id, "they replace each other")
      t.eq(1, notices[2].options.replace)
    end,
  },
  {
    "declined, nothing is pulled",
    function()
      local notices, prompts = start("absent", false)
      t.wait(function()
        return #prompts == 1
      end, "the question")
      t.pass(100)
      t.eq(1, #asked())
      t.eq({}, notices)
    end,
  },
  {
    "a pull that fails says why, though HTTP says 200",
    function()
      local notice =
        said(start("denied", true), "denied could not be pulled to gpu-box: pull model manifest: file does")
      t.eq(vim.log.levels.ERROR, notice.level)
    end,
  },
  {
    "a pull that ends half-way is no success",
    function()
      said(start("halfway", true), "halfway could not be pulled to gpu-box: the answer ended too early")
    end,
  },
  {
    "what is not Ollama is left",
    function()
      said(start("floods", true), "floods could not be pulled to gpu-box: it answers with something that is not")
    end,
  },
  {
    "the server's own words, on one line",
    function()
      said(start("refuses", true), "refuses could not be loaded on gpu-box: model requires more system memory")
    end,
  },
  {
    "asked twice, it is done once",
    function()
      local notices = start("stuck", true)
      vim.cmd("OllamaLocate ensure stuck")
      said(notices, "stuck is being loaded or pulled on gpu-box already.")
      t.wait(function()
        return #asked() > 0
      end, "the request")
      t.pass(100)
      t.eq(1, #asked())
    end,
  },
  {
    "nobody listens: a sentence, and the editor never stood still",
    function()
      local notices = t.notices()
      vim.env.OLLAMA_ENDPOINT = "http://127.0.0.1:9"
      t.never_stands_still(function()
        require("ollama_locate").ensure("mistral")
        said(notices, "mistral could not be loaded on 127.0.0.1:9: the server cannot be reached")
      end)
    end,
  },
  {
    "a server that never answers: the editor never stood still",
    function()
      t.never_stands_still(function()
        start("stuck", true)
        t.pass(1000)
      end)
      t.eq("ollama gpu-box, loading stuck", require("ollama_locate").statusline())
    end,
  },
  {
    "no curl",
    function()
      local notices = t.notices()
      vim.env.PATH = "/nonexistent"
      require("ollama_locate").ensure("mistral")
      said(notices, "mistral could not be loaded on localhost: there is no curl on your PATH")
    end,
  },
  {
    "what is no model's name is not sent",
    function()
      local notices = start("--help", true)
      t.has(notices[1].text, "`--help` is no name of a model.")
      t.pass(50)
      t.eq({}, asked())
    end,
  },
}
