;;; init.el --- What tests tell Emacs  -*- lexical-binding: t; -*-

(setq inhibit-startup-screen t
      initial-scratch-message nil
      make-backup-files nil
      auto-save-default nil
      create-lockfiles nil
      native-comp-enable-subr-trampolines nil
      ring-bell-function #'ignore)
(menu-bar-mode -1)
(require 'server)
(server-start)
