;;; tabby-ls-connection.el --- The tabby-ls process and what it says  -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; One process serves the whole of Emacs, whatever other language servers run:
;; it is started when the first buffer needs it, and started again when it
;; dies.  Nothing here waits for an answer.

;;; Code:

(require 'cl-lib)
(require 'jsonrpc)
(require 'project)
(require 'seq)
(require 'subr-x)
(require 'url-util)

(defgroup tabby-ls nil
  "Code completion from your own server, or from a local model."
  :group 'completion
  :prefix "tabby-ls-")

(defcustom tabby-ls-command '("tabby-ls")
  "The server's program and its arguments.
A change takes effect with \\[tabby-ls-restart]."
  :type '(repeat string))

(defcustom tabby-ls-settings nil
  "Settings for the server, a property list in the names of docs/settings.md.
For example:

  (:backend (:url \"http://127.0.0.1:5000\") :disabled_languages [\"markdown\"])

Tables are property lists, lists are vectors, and true and false are t and
:json-false.  What does not differ from one editor to another may as well
stand in tabby-ls' own config.toml.  A change takes effect with
\\[tabby-ls-restart]."
  :type 'plist)

(defconst tabby-ls--name "tabby-ls"
  "Name of the process; Emacs shows its log in the buffer *tabby-ls events*.")

(defconst tabby-ls--longest-pause 30
  "Seconds between attempts to start a server that keeps dying, at most.")

(defvar tabby-ls-connection nil
  "The connection to the server; nil if none is running.")

(defvar tabby-ls-status nil
  "What the server is doing: (STATE BACKEND MESSAGE).
STATE is `idle', `thinking', `error', `off' or, before the server has said
anything, `starting'; nil if no server was ever needed.  BACKEND names who
answers.  MESSAGE is one sentence that says why, for `error' and `off'.")

(defvar tabby-ls-status-hook nil
  "Hook for when `tabby-ls-status' has changed.")

(defvar tabby-ls-ready-hook nil
  "Hook for when the server has started and documents may be opened.")

(defvar tabby-ls--trouble nil
  "What the user was told is wrong.")

(defvar tabby-ls--deaths 0
  "How often the server has died since it last completed something.")

(defvar tabby-ls--revival nil
  "Timer that will start a server that died.")

(defclass tabby-ls--client (jsonrpc-process-connection)
  ((process :initform nil :accessor tabby-ls--process)
   (ready :initform nil :accessor tabby-ls--ready)
   (folders :initform nil :accessor tabby-ls--folders)
   (last-id :initform nil :accessor tabby-ls--last-id))
  :documentation "A connection to tabby-ls.")

(cl-defmethod jsonrpc-connection-send :before
  ((connection tabby-ls--client) &key id method &allow-other-keys)
  "Keep the ID of the request METHOD, by which CONNECTION can cancel it."
  (when (and id method)
    (setf (tabby-ls--last-id connection) id)))

(defun tabby-ls--set-status (state &optional backend message)
  "Take note that the server is in STATE, with BACKEND, because of MESSAGE."
  (let ((status (list state (or backend "") (or message ""))))
    (unless (equal status tabby-ls-status)
      (setq tabby-ls-status status)
      (tabby-ls--tell-trouble)
      (run-hooks 'tabby-ls-status-hook)
      (force-mode-line-update t))))

(defun tabby-ls--tell-trouble ()
  "Say once what is wrong, and once that all is well again."
  (pcase tabby-ls-status
    ((and `(error ,_ ,message) (guard (not (equal message tabby-ls--trouble))))
     (setq tabby-ls--trouble message)
     (message "tabby-ls: %s" message))
    ((and `(idle ,backend ,_) (guard tabby-ls--trouble))
     (setq tabby-ls--trouble nil)
     (message "tabby-ls: %s answers again" (if (equal backend "") "the server" backend)))))

(defun tabby-ls-ready-p ()
  "Return non-nil if the server can be asked."
  (and tabby-ls-connection (tabby-ls--ready tabby-ls-connection)))

;;; Lifecycle

(defun tabby-ls-start ()
  "Start the server unless there is one."
  (unless tabby-ls-connection
    (tabby-ls--forget-revival)
    (let ((program (car tabby-ls-command)))
      (if (not (executable-find program))
          (tabby-ls--set-status
           'error nil (format "%s was not found; install it, or set `tabby-ls-command'" program))
        (tabby-ls--set-status 'starting)
        (setq tabby-ls-connection (tabby-ls--connect))
        (tabby-ls--initialize tabby-ls-connection)))))

(defun tabby-ls-stop ()
  "End the server."
  (tabby-ls--forget-revival)
  (setq tabby-ls-status nil
        tabby-ls--trouble nil)
  (when-let* ((connection tabby-ls-connection))
    (setq tabby-ls-connection nil)
    ;; jsonrpc.el announces the end, over whatever is said meanwhile.
    (add-function :around (process-sentinel (tabby-ls--process connection))
                  (lambda (sentinel &rest arguments)
                    (let ((inhibit-message t) (message-log-max nil))
                      (apply sentinel arguments))))
    ;; It may be stuck: nobody waits for the answer.
    (ignore-errors
      (jsonrpc-async-request connection :shutdown nil :success-fn #'ignore
                             :error-fn #'ignore :timeout nil)
      (jsonrpc-notify connection :exit nil))
    (run-with-timer 2 nil #'delete-process (tabby-ls--process connection))))

(defun tabby-ls--connect ()
  "Start the process and return the connection to it."
  ;; It serves files of every folder, none of which may vanish under it.
  (let* ((default-directory (expand-file-name "~/"))
         (process nil)
         (start (lambda ()
                  (setq process
                        (make-process
                         :name tabby-ls--name
                         :command tabby-ls-command
                         :connection-type 'pipe
                         :coding 'utf-8-emacs-unix
                         :noquery t
                         ;; jsonrpc.el looks for it under this name.
                         :stderr (get-buffer-create (format "*%s stderr*" tabby-ls--name))))))
         (connection (apply #'make-instance 'tabby-ls--client
                            :name tabby-ls--name
                            :process start
                            :notification-dispatcher #'tabby-ls--notified
                            :request-dispatcher #'tabby-ls--asked
                            :on-shutdown #'tabby-ls--ended
                            (tabby-ls--without-a-log))))
    (setf (tabby-ls--process connection) process)
    connection))

(defun tabby-ls--without-a-log ()
  "Return arguments that keep messages, which hold code, out of buffers."
  (if (memq '-events-buffer-config
            (mapcar #'eieio-slot-descriptor-name (eieio-class-slots 'jsonrpc-connection)))
      '(:events-buffer-config (:size 0 :format full))
    '(:events-buffer-scrollback-size 0)))     ; before Emacs 30

(defun tabby-ls--initialize (connection)
  "Say `initialize' and `initialized' to CONNECTION."
  (let ((folders (tabby-ls--open-folders)))
    (setf (tabby-ls--folders connection) folders)
    (jsonrpc-async-request
     connection :initialize
     (list :processId (emacs-pid)
           :clientInfo (list :name "tabby-ls.el" :version emacs-version)
           :rootUri (car folders)
           :workspaceFolders (vconcat (mapcar #'tabby-ls--folder folders))
           :initializationOptions tabby-ls-settings
           :capabilities
           '( :general (:positionEncodings ["utf-32"])
              :workspace (:workspaceFolders t)
              :textDocument ( :synchronization (:didSave t)
                              :inlineCompletion (:dynamicRegistration :json-false))
              :experimental (:tabby-ls (:status t :movesBehind t))))
     :success-fn (lambda (_)
                   (when (eq connection tabby-ls-connection)
                     (jsonrpc-notify connection :initialized (make-hash-table))
                     (setf (tabby-ls--ready connection) t)
                     (when (eq (car tabby-ls-status) 'starting)
                       (tabby-ls--set-status 'idle))
                     (run-hooks 'tabby-ls-ready-hook)))
     :error-fn (lambda (error)
                 (when (eq connection tabby-ls-connection)
                   (tabby-ls--set-status 'error nil (plist-get error :message))))
     :timeout nil)))

(defun tabby-ls--ended (connection)
  "Start the server again if CONNECTION has ended by itself."
  (when (eq connection tabby-ls-connection)
    (setq tabby-ls-connection nil)
    (let ((pause (min (expt 2 tabby-ls--deaths) tabby-ls--longest-pause)))
      (cl-incf tabby-ls--deaths)
      (tabby-ls--set-status
       'error nil (format "the server ended%s; it is started again in %d s"
                          (tabby-ls--last-words connection) pause))
      (tabby-ls--forget-revival)
      (setq tabby-ls--revival (run-with-timer pause nil #'tabby-ls-start)))))

(defun tabby-ls--forget-revival ()
  "Do not start a dead server at the appointed time."
  (when tabby-ls--revival
    (cancel-timer tabby-ls--revival)
    (setq tabby-ls--revival nil)))

(defun tabby-ls--last-words (connection)
  "Return the last line that CONNECTION's process wrote to standard error.
What it logged while all was well is no reason to end."
  (let ((buffer (jsonrpc-stderr-buffer connection)))
    (if (not (buffer-live-p buffer))
        ""
      (with-current-buffer buffer
        (save-excursion
          (goto-char (point-max))
          (skip-chars-backward " \n")
          (let ((line (buffer-substring (line-beginning-position) (point))))
            (if (string-match-p "\\`$\\|\\`[-0-9]+ [:,0-9]+ \\(?:DEBUG\\|INFO\\|WARNING\\) " line) ""
              (format " (%s)" line))))))))

;;; Folders

(defun tabby-ls--open-folders ()
  "Return the URIs of the projects whose files are open."
  (delete-dups
   (delq nil (mapcar #'tabby-ls--project-uri
                     (seq-filter (lambda (buffer)
                                   (buffer-local-value 'tabby-ls-mode buffer))
                                 (buffer-list))))))

(defvar tabby-ls-mode)

(defun tabby-ls--project-uri (buffer)
  "Return the URI of the project that BUFFER's file belongs to, if any."
  (when-let* ((file (buffer-file-name buffer))
              ((not (file-remote-p file)))
              (project (project-current nil (file-name-directory file))))
    (tabby-ls-file-uri (directory-file-name (expand-file-name (project-root project))))))

(defun tabby-ls--folder (uri)
  "Return the workspace folder at URI."
  (list :uri uri :name (file-name-nondirectory (url-unhex-string uri))))

(defun tabby-ls--add-folder (uri)
  "Tell the server of the project at URI, which may be nil, once."
  (when (and uri (not (member uri (tabby-ls--folders tabby-ls-connection))))
    (push uri (tabby-ls--folders tabby-ls-connection))
    (jsonrpc-notify tabby-ls-connection :workspace/didChangeWorkspaceFolders
                    (list :event (list :added (vector (tabby-ls--folder uri)) :removed [])))))

(defun tabby-ls-file-uri (file)
  "Return the URI of FILE, an absolute name on this machine."
  (concat "file://" (if (string-prefix-p "/" file) "" "/") ; a drive letter
          (url-hexify-string file (append '(?/ ?:) url-unreserved-chars))))

;;; Messages

(defun tabby-ls--notified (connection method params)
  "Take note of the notification METHOD with PARAMS from CONNECTION."
  (when (eq connection tabby-ls-connection)
    (pcase method
      ('tabby-ls/status (tabby-ls--read-status params))
      ('window/showMessage (message "%s" (plist-get params :message))))))

(defun tabby-ls--read-status (status)
  "Take note of the server's STATUS."
  (tabby-ls--set-status (intern (plist-get status :state))
                        (plist-get status :backend)
                        (plist-get status :message)))

(defun tabby-ls--asked (_connection method _params)
  "Answer the server's request METHOD."
  (jsonrpc-error :code -32601 :message (format "%s is not supported" method)))

(defun tabby-ls-request (method params on-success &optional on-error)
  "Ask the server METHOD with PARAMS and return the request's id.
ON-SUCCESS is called with the result, ON-ERROR with the error, a property list."
  (jsonrpc-async-request
   tabby-ls-connection method params
   :success-fn on-success
   :error-fn (or on-error #'ignore)
   :timeout nil)
  (tabby-ls--last-id tabby-ls-connection))

(defun tabby-ls-cancel (id)
  "Take the request with ID back."
  (when (tabby-ls-ready-p)
    (jsonrpc-notify tabby-ls-connection :$/cancelRequest (list :id id))))

(defun tabby-ls-execute (command argument &optional on-success)
  "Let the server execute COMMAND with ARGUMENT, a property list.
ON-SUCCESS is called with what it returns."
  (tabby-ls-request :workspace/executeCommand
                    (list :command command :arguments (if argument (vector argument) []))
                    (or on-success #'ignore)
                    (lambda (error)
                      (message "tabby-ls: %s" (plist-get error :message)))))

(provide 'tabby-ls-connection)
;;; tabby-ls-connection.el ends here
