vim9script
# Ghost text from tabby-ls: when it is asked, its keys, its command. docs/editors/vim.md explains them.
# SPDX-License-Identifier: Apache-2.0

if exists('g:loaded_tabby_ls') || !has('patch-9.0.0185') || !has('job') || &encoding !=# 'utf-8'
  finish
endif
g:loaded_tabby_ls = true

import autoload 'tabby_ls.vim'
import autoload 'tabby_ls/client.vim'

highlight default TabbyLsGhost ctermfg=DarkGray guifg=#808080

augroup tabby_ls
  autocmd!
  autocmd ColorScheme * highlight default TabbyLsGhost ctermfg=DarkGray guifg=#808080
  autocmd BufEnter * client.Enter(str2nr(expand('<abuf>')))
  autocmd BufReadPost,BufFilePost,FileType * client.Open(str2nr(expand('<abuf>')))
  autocmd BufFilePre,BufUnload * client.Close(str2nr(expand('<abuf>')))
  autocmd BufWritePost * client.Saved(str2nr(expand('<abuf>')))
  # Only then is the cursor where it will be.
  autocmd InsertEnter * timer_start(0, (_) => tabby_ls.Typed())
  autocmd TextChangedI * tabby_ls.Typed()
  autocmd CursorMovedI * tabby_ls.Moved()
  autocmd TextChanged * tabby_ls.Changed()
  autocmd TextChangedP,InsertLeave,BufLeave * tabby_ls.Dismiss()
  autocmd VimLeavePre * client.Stop()
augroup END

if get(g:, 'tabby_ls_keys', true)
  inoremap <silent> <C-X><C-A> <Cmd>call tabby_ls#Suggest()<CR>
  for [key, action] in items({'Tab': 'Accept', 'M-Right': 'AcceptWord', 'M-C-Right': 'AcceptLine', 'C-]': 'Dismiss'})
    if maparg($'<{key}>', 'i') == ''
      execute $'inoremap <silent><expr> <{key}> tabby_ls#Key("{action}", "\<lt>{key}>")'
    endif
  endfor
endif

command! -nargs=+ -complete=custom,tabby_ls#Completions TabbyLs tabby_ls.Command(<f-args>)
