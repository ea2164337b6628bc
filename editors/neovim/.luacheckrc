std = 'luajit'
read_globals = { 'vim' }
-- Options are set by assignment.
globals = { 'vim.b', 'vim.bo', 'vim.g', 'vim.o' }
max_line_length = 120
