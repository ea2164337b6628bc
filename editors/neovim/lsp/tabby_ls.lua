-- What `vim.lsp.enable('tabby_ls')` starts (Neovim 0.11 and later). No file types: it is for all of them.
---@type vim.lsp.Config
return {
  cmd = { 'tabby-ls' },
  root_markers = { '.git', '.hg', 'pyproject.toml', 'package.json', 'Cargo.toml', 'go.mod' },
}
