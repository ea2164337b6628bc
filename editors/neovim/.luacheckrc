std = 'luajit'
read_globals = { 'vim' }
-- Options are set by assignment, and so is what handles a paste.
globals = { 'vim.b', 'vim.bo', 'vim.g', 'vim.o', 'vim.paste' }
max_line_length = 120
