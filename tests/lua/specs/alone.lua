--- Without the command `ollama-locate`: what is there is loaded by curl, and nothing is pulled.
local t = require("tools")

---@return { text: string, level: integer?, options: table? }[] notices
local function start(model)
  local server = assert(os.getenv("PULLER"))
  t.publish(server, { servers = { { name = "gpu-box", url = server } } })
  local notices = t.notices()
  vim.ui.select = function()
    error("a question")
  end
  vim.cmd("runtime plugin/ollama_locate.lua")
  vim.cmd("OllamaLocate ensure " .. model)
  return notices
end

return {
  {
    "a model that is there is loaded",
    function()
      local notices = start("mistral")
      t.eq("ollama gpu-box, loading mistral", require("ollama_locate").statusline())
      t.said(notices, "mistral is loaded on gpu-box.")
      t.eq({ "/api/generate mistral" }, t.asked())
      t.eq("ollama gpu-box", require("ollama_locate").statusline())
    end,
  },
  {
    "the default model is mistral",
    function()
      t.said(start(""), "mistral is loaded on gpu-box.")
    end,
  },
  {
    "one that is missing: how to get it, and it is not pulled",
    function()
      local notice = t.said(start("absent"), "absent is not on gpu-box. To pull it: ollama-locate ensure absent (")
      t.has(notice.text, "a command that is not on your PATH; the project's README has it")
      t.eq(vim.log.levels.WARN, notice.level)
      t.eq({ "/api/generate absent" }, t.asked())
    end,
  },
  {
    "on a server that the daemon does not know, though the command is there",
    function()
      t.command()
      vim.env.OLLAMA_ENDPOINT = os.getenv("PULLER")
      local notices, url = t.notices(), os.getenv("PULLER")
      require("ollama_locate").ensure("mistral")
      t.said(notices, "mistral is loaded on " .. url:gsub("http://", ""))
      require("ollama_locate").ensure("absent")
      local notice = t.said(notices, "To pull it: ollama-locate ensure absent --on " .. url)
      assert(vim.endswith(notice.text, url), notice.text)
    end,
  },
  {
    "the server's own words, on one line",
    function()
      t.said(start("heavy"), "heavy is not loaded: gpu-box: model requires more system memory")
    end,
  },
  {
    "a page",
    function()
      t.said(start("page"), "page is not loaded: gpu-box: HTTP 502")
    end,
  },
  {
    "a name that would run in a statusline",
    function()
      start("hangs:%{system('id')}")
      t.eq("ollama gpu-box, loading hangs:?{system('id')}", require("ollama_locate").statusline())
    end,
  },
  {
    "asked twice, it is done once; stop ends it",
    function()
      local notices = start("hangs")
      vim.cmd("OllamaLocate ensure hangs")
      t.said(notices, "hangs is being loaded or pulled already.")
      t.wait(function()
        return #t.asked() > 0
      end, "the request")
      vim.cmd("OllamaLocate stop")
      t.said(notices, "hangs is not loaded: gpu-box: it was stopped")
      t.eq(1, #t.asked())
    end,
  },
  {
    "nobody listens: a sentence, and the editor never stood still",
    function()
      local notices = t.notices()
      vim.env.OLLAMA_ENDPOINT = "http://127.0.0.1:9"
      t.never_stands_still(function()
        require("ollama_locate").ensure("mistral")
        t.said(notices, "mistral is not loaded: 127.0.0.1:9: the server cannot be reached")
      end)
    end,
  },
  {
    "a server that never answers: the editor never stood still",
    function()
      t.never_stands_still(function()
        start("hangs")
        t.pass(1000)
      end)
      t.eq("ollama gpu-box, loading hangs", require("ollama_locate").statusline())
    end,
  },
  {
    "no curl",
    function()
      local notices = t.notices()
      vim.env.PATH = "/nonexistent"
      require("ollama_locate").ensure("mistral")
      t.said(notices, "mistral is not loaded: localhost: there is no curl on your PATH")
    end,
  },
}
