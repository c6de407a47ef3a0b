-- One command and two mappings; everything else loads when it is asked for.
if vim.g.loaded_ollama_locate then
  return
end
vim.g.loaded_ollama_locate = true

vim.api.nvim_create_user_command("OllamaLocate", function(call)
  require("ollama_locate.command").run(call.fargs)
end, {
  nargs = "*",
  desc = "The Ollama that is best right now",
  complete = function(lead, line, column)
    return require("ollama_locate.command").complete(lead, line, column)
  end,
})

vim.keymap.set({ "n", "x" }, "<Plug>(ollama-locate-chat)", function()
  require("ollama_locate.codecompanion").chat()
end, { desc = "A CodeCompanion chat on Ollama" })

vim.keymap.set("n", "<Plug>(ollama-locate-inline)", function()
  require("ollama_locate.codecompanion").toggle_inline()
end, { desc = "CodeCompanion's inline assistant: to Ollama, and back" })
