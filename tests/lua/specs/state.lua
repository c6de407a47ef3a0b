--- state.json: its schema, its models, and files that are not what they should be.
local t = require("tools")

return {
  {
    "none is an empty table",
    function()
      t.eq({}, require("ollama_locate").state())
    end,
  },
  {
    "it is decoded, and null is nil",
    function()
      t.put("state.json", '{"schema":1,"decision":{"server":null,"name":"x"},"new_field":[1]}')
      t.eq({ schema = 1, decision = { name = "x" }, new_field = { 1 } }, require("ollama_locate").state())
    end,
  },
  {
    "a newer schema is refused with one sentence, once",
    function()
      local notices = t.notices()
      for round = 1, 3 do
        t.put("state.json", ('{"schema":2,"round":%d}'):format(round))
        t.eq({}, require("ollama_locate").state())
        require("ollama_locate").statusline()
        t.pass(10)
      end
      t.eq(1, #notices)
      t.has(notices[1].text, "schema 2, this plugin knows 1: update the plugin")
      t.eq(vim.log.levels.WARN, notices[1].level)
    end,
  },
  {
    "the endpoint is followed all the same",
    function()
      t.notices()
      t.publish(t.ONE, { schema = 2 })
      t.eq({ t.ONE, "file" }, { require("ollama_locate").url() })
    end,
  },
  {
    "what is broken is an empty table",
    function()
      for _, text in ipairs({ "", "{", "[]", "7", '"x"', "\0\1", '{"schema":"1"}', ("["):rep(5000), '{"schema":1' }) do
        t.put("state.json", text)
        t.eq({}, require("ollama_locate").state(), text:sub(1, 20))
        require("ollama_locate").url()
        require("ollama_locate").statusline()
      end
    end,
  },
  {
    "turned off, it is not read",
    function()
      t.publish(t.ONE)
      vim.env.OLLAMA_LOCATE_OFF = "1"
      t.eq({}, require("ollama_locate").state())
    end,
  },
  {
    "models: names, what they can do, unknown, rubbish",
    function()
      local models = require("ollama_locate.state").models
      local list = { "mistral:latest", "llava:latest", { id = 1 }, 7 }
      local known = { { name = "llava:latest", can = { "vision" } }, { name = "mistral:latest" }, 7, { can = 3 } }
      t.publish(t.ONE, { servers = { { name = "gpu-box", url = t.ONE, models = list, inventory = known } } })
      t.eq({ { name = "mistral:latest" }, { name = "llava:latest", capabilities = { "vision" } } }, models(t.ONE))
      t.publish(t.ONE, { servers = { { name = "gpu-box", url = t.ONE, models = { "a:1" }, inventory = 7 } } })
      t.eq({ { name = "a:1" } }, models(t.ONE))
      t.eq(nil, models("http://elsewhere:1"))
      t.put("state.json", ('{"schema":1,"servers":[{"url":"%s","models":null}]}'):format(t.ONE))
      t.eq(nil, models(t.ONE))
    end,
  },
  {
    "one model, two spellings",
    function()
      local same = require("ollama_locate.state").same_model
      for _, row in ipairs({
        { "mistral", "mistral:latest", true },
        { "mistral", "mistral", true },
        { "mistral", "mistral:7b", false },
        { "hub.example:5000/a", "hub.example:5000/a:latest", true },
        { "hub.example:5000/a", "hub.example:5000/b", false },
      }) do
        t.eq(row[3], same(row[1], row[2]), row[1] .. " " .. row[2])
      end
    end,
  },
  {
    "1,900 servers do not block the editor; a larger file is left",
    function()
      local servers = { { name = "gpu-box", url = t.ONE } }
      for number = 2, 1900 do
        servers[number] = { key = "n" .. number, name = "peer", url = t.TWO, standing = "down", text = ("x"):rep(400) }
      end
      t.publish(t.ONE, { servers = servers })
      t.never_stands_still(function()
        t.eq("ollama gpu-box", require("ollama_locate").statusline())
      end)
      servers[1901] = { key = "n", name = ("x"):rep(3500000), url = t.TWO }
      t.publish(t.ONE, { servers = servers })
      t.never_stands_still(function()
        t.eq("ollama 100.64.0.2", require("ollama_locate").statusline())
      end)
    end,
  },
}
