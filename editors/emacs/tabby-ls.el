;;; tabby-ls.el --- Ghost text from your own completion server  -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: Apache-2.0

;; Author: The tabby-ls maintainers
;; Maintainer: The tabby-ls maintainers
;; Version: 0.1.0
;; Package-Requires: ((emacs "28.1"))
;; Keywords: convenience, tools, languages

;;; Commentary:

;; `tabby-ls-mode' shows what you are about to type as ghost text and takes it
;; over with TAB.  It talks to tabby-ls by itself, beside Eglot, lsp-mode or
;; neither, and needs nothing that does not come with Emacs.
;;
;;   (global-tabby-ls-mode)
;;
;; While ghost text is shown:
;;
;;   TAB           take all of it
;;   M-f           take its next word      (whatever moves forward by a word)
;;   C-e           take its next line      (whatever moves to the end of the line)
;;   M-n, M-p      next, previous alternative
;;   C-g           dismiss it
;;
;; At any time, C-c \ \ asks for a suggestion, and C-c \ ? says why there is
;; none; C-c \ C-h lists the rest.

;;; Code:

(require 'easymenu)
(require 'tabby-ls-connection)
(require 'tabby-ls-document)
(require 'tabby-ls-ghost)

(defcustom tabby-ls-idle-delay 0.05
  "Seconds without a key after which the server is asked.
The server paces itself by how fast you type; this only spares it what a
keyboard macro or a held key would send."
  :type 'number
  :group 'tabby-ls)

(defcustom tabby-ls-inhibit-functions
  '(tabby-ls-popup-visible-p tabby-ls-not-inserting-p)
  "Functions that say when there should be no ghost text.
Each is called without arguments, with point where the text would be; if one
returns non-nil, nothing is asked, and ghost text is hidden as long as it does.
What a command asked for is shown all the same."
  :type 'hook
  :group 'tabby-ls)

(defcustom tabby-ls-silent-commands
  '(undo undo-only undo-redo vundo-backward vundo-forward evil-undo evil-redo
    revert-buffer revert-buffer-quick kill-region kill-whole-line
    save-buffer save-some-buffers         ; formatters that run before saving
    query-replace query-replace-regexp indent-region
    eglot-rename eglot-format eglot-format-buffer eglot-code-actions
    lsp-rename lsp-format-region lsp-format-buffer lsp-execute-code-action)
  "Commands that change text but do not ask for a suggestion."
  :type '(repeat symbol)
  :group 'tabby-ls)

(defvar-local tabby-ls--pending nil
  "The request that was not answered yet: (ID TICK POINT).")

(defvar-local tabby-ls--timer nil
  "Timer that will ask.")

(defvar-local tabby-ls--seen nil
  "The state after the last command: (TICK . POINT).")

;;; When there should be none

(defvar tabby-ls-mode)
(defvar completion-preview-active-mode)
(defvar company-candidates)
(defvar evil-state)

(defun tabby-ls-popup-visible-p ()
  "Return non-nil if a completion menu is drawn where ghost text would be.
Menus in a frame of their own, as of Corfu in a graphical Emacs, are not."
  (or (bound-and-true-p company-candidates)
      (bound-and-true-p completion-preview-active-mode)
      (and completion-in-region-mode (not (display-graphic-p)))))

(defun tabby-ls-not-inserting-p ()
  "Return non-nil if keys do not insert text here."
  (or buffer-read-only
      (region-active-p)
      isearch-mode
      (bound-and-true-p multiple-cursors-mode)
      (and (bound-and-true-p evil-local-mode)
           (not (memq evil-state '(insert emacs))))))

(defun tabby-ls--inhibited-p ()
  "Return non-nil if there should be no ghost text now."
  (run-hook-with-args-until-success 'tabby-ls-inhibit-functions))

;;; Asking

(defun tabby-ls--state ()
  "Return what an answer is for: the text and the place."
  (cons (buffer-chars-modified-tick) (point)))

(defun tabby-ls--withdraw ()
  "Ask no more."
  (when tabby-ls--timer
    (cancel-timer tabby-ls--timer)
    (setq tabby-ls--timer nil))
  (when tabby-ls--pending
    (tabby-ls-cancel (car tabby-ls--pending))
    (setq tabby-ls--pending nil)))

(defun tabby-ls--ask (on-items &optional invoked)
  "Ask for suggestions at point and call ON-ITEMS with them, a vector.
It is not called if another key comes first.  With INVOKED, the user wants them."
  (tabby-ls--withdraw)
  (tabby-ls-document-open)
  (tabby-ls-document-flush)
  (let* ((buffer (current-buffer))
         (state (tabby-ls--state))
         (id nil)
         (pending-p (lambda () (and (buffer-live-p buffer)
                                    (with-current-buffer buffer
                                      (and id (eql id (car tabby-ls--pending))))))))
    (setq id (tabby-ls-request
              :textDocument/inlineCompletion
              (list :textDocument (tabby-ls-document)
                    :position (tabby-ls-position (point))
                    :context (list :triggerKind (if invoked 1 2)))
              (lambda (result)
                (setq tabby-ls--deaths 0)
                (when (funcall pending-p)
                  (with-current-buffer buffer
                    (setq tabby-ls--pending nil)
                    ;; Null says that a newer request is on its way.
                    (when (and result
                               (eq buffer (window-buffer (selected-window)))
                               (equal state (tabby-ls--state)))
                      (funcall on-items (if (vectorp result) result
                                          (plist-get result :items)))))))
              (lambda (_)
                (when (funcall pending-p)
                  (with-current-buffer buffer
                    (setq tabby-ls--pending nil)))))
          tabby-ls--pending (list id))))

(defun tabby-ls--ask-soon ()
  "Ask when no key has come for `tabby-ls-idle-delay'."
  (let ((buffer (current-buffer)))
    (setq tabby-ls--timer
          (run-with-timer
           tabby-ls-idle-delay nil
           (lambda ()
             (when (and (buffer-live-p buffer)
                        (eq buffer (window-buffer (selected-window))))
               (with-current-buffer buffer
                 (setq tabby-ls--timer nil)
                 (when (and tabby-ls-mode (tabby-ls-ready-p) (not (tabby-ls--inhibited-p)))
                   (tabby-ls--ask #'tabby-ls--show)))))))))

(defun tabby-ls--show (items)
  "Show ITEMS at point, and ask for the rest of what is still being written."
  (unless (tabby-ls--inhibited-p)
    (when (and (if tabby-ls-ghost-active (tabby-ls-ghost-extend items) (tabby-ls-ghost-show items))
               (tabby-ls-ghost-more-p))
      (tabby-ls--ask #'tabby-ls--show))))

(defun tabby-ls--after-command ()
  "Keep up with what the last command did."
  (let* ((state (tabby-ls--state))
         (changed (not (eql (car state) (car tabby-ls--seen))))
         (same (equal state tabby-ls--seen)))
    (setq tabby-ls--seen state)
    (when changed
      (tabby-ls-document-flush))
    (cond (same (tabby-ls--refresh))
          ((tabby-ls-ghost-fits-p)
           (tabby-ls-ghost-hide)
           (tabby-ls--refresh)
           (when (tabby-ls-ghost-more-p)
             (tabby-ls--withdraw)
             (tabby-ls--ask-soon)))
          (t (tabby-ls-ghost-clear)
             (tabby-ls--withdraw)
             (when (and changed
                        (not (memq this-command tabby-ls-silent-commands))
                        ;; A macro does the same whatever is suggested.
                        (not executing-kbd-macro)
                        (not defining-kbd-macro))
               (tabby-ls--ask-soon))))))

(defun tabby-ls--refresh (&optional _window)
  "Hide ghost text while something else is going on, and show it again then.
Programs change text too, such as `auto-revert-mode', and menus open by
themselves: no command tells of it."
  (when tabby-ls--ghost
    (cond ((and (not (tabby-ls-ghost-wanted-p)) (tabby-ls--inhibited-p))
           (tabby-ls-ghost-hide))
          ((not (and tabby-ls-ghost-active (equal tabby-ls--seen (tabby-ls--state))))
           (tabby-ls-ghost-follow)))))

(defun tabby-ls--left (window)
  "Show nothing in WINDOW once it is not the selected one."
  (unless (eq window (selected-window))
    (with-current-buffer (window-buffer window)
      (tabby-ls--withdraw)
      (tabby-ls-ghost-clear))))

(defun tabby-ls--entered (window)
  "Show the status of the file in WINDOW, if that is the selected one."
  (when (and (eq window (selected-window)) (tabby-ls-ready-p))
    (with-current-buffer (window-buffer window)
      (tabby-ls-request :workspace/executeCommand
                        (list :command "tabby-ls.status" :arguments (vector (tabby-ls-document)))
                        #'tabby-ls--read-status))))

;;; Commands for ghost text

(defun tabby-ls--ensure ()
  "Signal an error unless the server can be asked about the current buffer."
  (unless tabby-ls-mode
    (user-error "`tabby-ls-mode' is off in this buffer"))
  (unless (tabby-ls-ready-p)
    (tabby-ls-start)
    (user-error "The tabby-ls server is not ready: %s"
                (if (eq (car tabby-ls-status) 'starting) "it is starting"
                  (nth 2 tabby-ls-status)))))

(defun tabby-ls-complete ()
  "Ask for a suggestion here, and say why if there is none."
  (interactive)
  (tabby-ls--ensure)
  (tabby-ls--ask (lambda (items)
                   (unless (tabby-ls-ghost-show items t)
                     (tabby-ls-why)))
                 t))

(defun tabby-ls-accept ()
  "Take all of the ghost text."
  (interactive)
  (tabby-ls--accept nil))

(defun tabby-ls-accept-word ()
  "Take the next word of the ghost text."
  (interactive)
  (tabby-ls--accept "\\`[ \t\n]*\\(?:[[:alnum:]_]+\\|[^[:alnum:]_ \t\n]+\\)"))

(defun tabby-ls-accept-line ()
  "Take the ghost text to the end of its line, or its next line at the end of one."
  (interactive)
  (tabby-ls--accept "\\`\n?[^\n]*"))

(defun tabby-ls--accept (regexp)
  "Take the beginning of the ghost text that REGEXP matches, all of it if nil."
  (unless (tabby-ls-ghost-follow)
    (user-error "There is no ghost text"))
  (pcase-let* ((`(,item . ,length) (tabby-ls-ghost-insert regexp))
               (command (plist-get item :command))
               (argument (ignore-errors (copy-sequence (aref (plist-get command :arguments) 0)))))
    (tabby-ls-document-flush)
    (when (and command (tabby-ls-ready-p))
      (if length
          (tabby-ls-execute "tabby-ls.partiallyAccepted"
                            (plist-put argument :length
                                       (tabby-ls--utf-16-length
                                        (substring (plist-get item :insertText) 0 length))))
        (tabby-ls-execute (plist-get command :command) argument)))))

(defun tabby-ls--utf-16-length (text)
  "Return how many UTF-16 units TEXT has, which is what the protocol counts in."
  (/ (string-bytes (encode-coding-string text 'utf-16le)) 2))

(defun tabby-ls-next ()
  "Show the next alternative to the ghost text."
  (interactive)
  (tabby-ls--turn 1))

(defun tabby-ls-previous ()
  "Show the previous alternative to the ghost text."
  (interactive)
  (tabby-ls--turn -1))

(defun tabby-ls--turn (step)
  "Show the alternative STEP places away; ask for some if none are known."
  (unless tabby-ls-ghost-active
    (user-error "There is no ghost text"))
  (unless (tabby-ls-ghost-turn step)
    (tabby-ls--ensure)
    (tabby-ls--ask (lambda (items)
                     (unless (tabby-ls-ghost-add items)
                       (message "tabby-ls: no alternative")))
                   t)))

(defun tabby-ls-dismiss ()
  "Show no ghost text until something else is typed."
  (interactive)
  (tabby-ls--withdraw)
  (tabby-ls-ghost-clear))

;;; Commands for the server

(defun tabby-ls-why ()
  "Say why a suggestion was shown or not shown."
  (interactive)
  (tabby-ls--ensure)
  (tabby-ls-execute "tabby-ls.why" (tabby-ls-document)
                    (lambda (answer) (message "tabby-ls: %s" answer))))

(defun tabby-ls-stats ()
  "Show how often suggestions were taken, and how long they took."
  (interactive)
  (tabby-ls--ensure)
  (tabby-ls-execute "tabby-ls.stats" nil
                    (lambda (answer)
                      (with-help-window "*tabby-ls stats*"
                        (princ answer)))))

(defun tabby-ls-toggle ()
  "Switch suggestions off, or on again, for this session of Emacs."
  (interactive)
  (tabby-ls--toggle "session"))

(defun tabby-ls-toggle-language ()
  "Switch suggestions off, or on again, for the language of this buffer."
  (interactive)
  (tabby-ls--toggle "language"))

(defun tabby-ls-toggle-file ()
  "Switch suggestions off, or on again, for this file."
  (interactive)
  (tabby-ls--toggle "file"))

(defun tabby-ls--toggle (scope)
  "Switch suggestions in SCOPE."
  (tabby-ls--ensure)
  (tabby-ls-dismiss)
  (tabby-ls-execute "tabby-ls.toggle"
                    (list :scope scope :uri (plist-get (tabby-ls-document) :uri) :language (tabby-ls--language))
                    (lambda (result) (message "tabby-ls: %s" (plist-get result :message)))))

(defun tabby-ls-restart ()
  "Start the server anew, with the settings as they are now."
  (interactive)
  (tabby-ls-stop)
  (setq tabby-ls--deaths 0)
  (message "tabby-ls: starting again")
  (tabby-ls-start))

;;; Keys, menu, mode line

(defvar tabby-ls-active-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "TAB") #'tabby-ls-accept)
    (define-key map (kbd "<tab>") #'tabby-ls-accept)
    (define-key map [remap forward-word] #'tabby-ls-accept-word)
    (define-key map [remap right-word] #'tabby-ls-accept-word)
    (define-key map [remap move-end-of-line] #'tabby-ls-accept-line)
    (define-key map [remap evil-copy-from-below] #'tabby-ls-accept-line) ; C-e
    (define-key map (kbd "M-n") #'tabby-ls-next)
    (define-key map (kbd "M-p") #'tabby-ls-previous)
    (define-key map (kbd "C-g") #'tabby-ls-dismiss)
    map)
  "Keys while ghost text is shown.")

(defvar tabby-ls-command-map
  (let ((map (make-sparse-keymap)))
    (define-key map "\\" #'tabby-ls-complete)
    (define-key map "?" #'tabby-ls-why)
    (define-key map "s" #'tabby-ls-stats)
    (define-key map "t" #'tabby-ls-toggle)
    (define-key map "l" #'tabby-ls-toggle-language)
    (define-key map "f" #'tabby-ls-toggle-file)
    (define-key map "r" #'tabby-ls-restart)
    map)
  "Keys after the prefix of `tabby-ls-mode'.")

(defvar tabby-ls-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "C-c \\") tabby-ls-command-map)
    map)
  "Keys of `tabby-ls-mode'.")

(easy-menu-define tabby-ls-menu tabby-ls-mode-map
  "Menu of `tabby-ls-mode'."
  '("Tabby-LS"
    ["Suggest here" tabby-ls-complete]
    ["Why nothing?" tabby-ls-why]
    ["Statistics" tabby-ls-stats]
    "--"
    ["On or off" tabby-ls-toggle]
    ["On or off for this language" tabby-ls-toggle-language]
    ["On or off for this file" tabby-ls-toggle-file]
    "--"
    ["Restart the server" tabby-ls-restart]
    ["Settings" (customize-group 'tabby-ls)]))

(defvar tabby-ls--emulation-alist `((tabby-ls-ghost-active . ,tabby-ls-active-map))
  "Makes `tabby-ls-active-map' stronger than the maps of minor modes.")

(defvar tabby-ls--mode-line-map
  (let ((map (make-sparse-keymap)))
    (define-key map [mode-line down-mouse-1] tabby-ls-menu)
    map)
  "Mouse buttons on the mode line.")

(defun tabby-ls--mode-line ()
  "Return the status for the mode line."
  (pcase-let* ((`(,state ,backend ,message) tabby-ls-status)
               (`(,mark ,face) (pcase state
                                 ('idle '("" nil))
                                 ('off '(":off" shadow))
                                 ('error '("!" error))
                                 (_ '("…" nil)))))
    (propertize (concat " Tabby" mark)
                'face face
                'help-echo (string-join
                            (seq-remove #'string-empty-p
                                        (list (format "tabby-ls: %s" (or state "not started"))
                                              (or backend "") (or message "")
                                              "mouse-1: menu"))
                            "\n")
                'mouse-face 'mode-line-highlight
                'local-map tabby-ls--mode-line-map)))

;;; Modes

(defconst tabby-ls--hooks
  '((post-command-hook . tabby-ls--after-command)
    (before-change-functions . tabby-ls--before-change)
    (after-change-functions . tabby-ls--after-change)
    (after-save-hook . tabby-ls-document-saved)
    (after-set-visited-file-name-hook . tabby-ls-document-renamed)
    (pre-redisplay-functions . tabby-ls--refresh)
    (window-selection-change-functions . tabby-ls--left)
    (window-selection-change-functions . tabby-ls--entered)
    (window-buffer-change-functions . tabby-ls--entered)
    (kill-buffer-hook . tabby-ls--leave)
    (change-major-mode-hook . tabby-ls--leave)
    (clone-indirect-buffer-hook . tabby-ls--cloned)
    (clone-buffer-hook . tabby-ls--cloned))
  "What `tabby-ls-mode' adds to the buffer's hooks.")

;;;###autoload
(define-minor-mode tabby-ls-mode
  "Show what you are about to type as ghost text.

While ghost text is shown:
\\{tabby-ls-active-map}
At any time:
\\{tabby-ls-mode-map}"
  :lighter (:eval (tabby-ls--mode-line))
  (pcase-dolist (`(,hook . ,function) tabby-ls--hooks)
    (if tabby-ls-mode
        (add-hook hook function nil t)
      (remove-hook hook function t)))
  (if (not tabby-ls-mode)
      (tabby-ls--leave)
    (add-to-list 'emulation-mode-map-alists 'tabby-ls--emulation-alist)
    (add-hook 'tabby-ls-ready-hook #'tabby-ls--open-all)
    (setq tabby-ls--seen (tabby-ls--state))
    (tabby-ls-start)
    (tabby-ls-document-open)))

(defun tabby-ls--leave ()
  "Let the server forget the current buffer, unless its text is in another."
  (tabby-ls-dismiss)
  (unless (and (buffer-base-buffer)
               (buffer-local-value 'tabby-ls-mode (buffer-base-buffer)))
    (tabby-ls-document-close)))

(defun tabby-ls--cloned ()
  "Give up what the current buffer has from the one it was cloned from."
  (save-restriction
    (widen)
    (tabby-ls-ghost-forget))
  (setq tabby-ls--timer nil
        tabby-ls--pending nil
        tabby-ls--opened-in nil))

(defun tabby-ls--open-all ()
  "Let a server that has just started know every buffer in the mode."
  (dolist (buffer (buffer-list))
    (with-current-buffer buffer
      (when tabby-ls-mode
        (tabby-ls-document-open)
        (tabby-ls--entered (get-buffer-window))))))

(defun tabby-ls--turn-on ()
  "Turn `tabby-ls-mode' on where a file or code is edited."
  (unless (or (minibufferp) (buffer-base-buffer) (string-prefix-p " " (buffer-name)))
    (tabby-ls-mode)))

;;;###autoload
(define-globalized-minor-mode global-tabby-ls-mode tabby-ls-mode tabby-ls--turn-on
  :group 'tabby-ls
  :predicate '(prog-mode conf-mode sgml-mode nxml-mode css-base-mode yaml-mode
                         yaml-ts-mode toml-ts-mode json-ts-mode markdown-mode
                         org-mode rst-mode tex-mode latex-mode LaTeX-mode)
  ;; Off for all of Emacs: then nobody needs the process.
  (unless (seq-some (lambda (buffer) (buffer-local-value 'tabby-ls-mode buffer)) (buffer-list))
    (tabby-ls-stop)))

(provide 'tabby-ls)
;;; tabby-ls.el ends here
