-- Only what has to be there before anything is asked for; the rest is loaded when it is.
if vim.g.loaded_tabby_ls or vim.fn.has('nvim-0.10') == 0 then
  return
end
vim.g.loaded_tabby_ls = 1

vim.api.nvim_create_user_command('TabbyLs', function(arguments)
  require('tabby_ls.commands').run(arguments.fargs)
end, {
  nargs = '*',
  desc = 'Ask or tell tabby-ls something',
  complete = function(lead, line)
    return require('tabby_ls.commands').complete(lead, line)
  end,
})
