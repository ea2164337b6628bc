;;; tabby-ls-document.el --- Buffers as the server sees them  -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; Each buffer is kept in step by what changes in it; the whole text is sent
;; only when it is opened, or when changes cannot be trusted.  Positions are
;; counted in characters: the server is asked for UTF-32.
;;
;; Indirect buffers share the text of their base, and the base is the document:
;; what is kept of it, below, is kept there.

;;; Code:

(require 'tabby-ls-connection)

(defconst tabby-ls--most-changes 64
  "With more changes at once, the whole text is sent instead.")

(defvar-local tabby-ls--uri nil
  "The document's URI as the server knows it.")

(defvar-local tabby-ls--opened-in nil
  "The connection that knows this document.")

(defvar-local tabby-ls--version 0
  "How often the document was sent.")

(defvar-local tabby-ls--changes nil
  "Changes that were not sent yet, newest first, or `all'.")

(defvar-local tabby-ls--doomed nil
  "The text about to change: (BEG END START-POSITION END-POSITION).")

(defvar-local tabby-ls--tick nil
  "The buffer's modification count after the last change we know.")

;;; Places

(defun tabby-ls-uri ()
  "Return the URI of the current buffer."
  (let ((file (buffer-file-name)))
    (cond ((null file) (concat "untitled:" (url-hexify-string (buffer-name))))
          ((file-remote-p file) (concat "tramp:" (url-hexify-string file (cons ?/ url-unreserved-chars))))
          (t (tabby-ls-file-uri (expand-file-name file))))))

(defun tabby-ls--language ()
  "Return the name of the current buffer's language.
That of `python-ts-mode' is python."
  (string-remove-suffix "-ts" (string-remove-suffix "-mode" (symbol-name major-mode))))

(defmacro tabby-ls--in-base (&rest body)
  "Evaluate BODY in the buffer that the current buffer's text belongs to."
  (declare (indent 0) (debug t))
  `(with-current-buffer (or (buffer-base-buffer) (current-buffer))
     ,@body))

(defun tabby-ls-document ()
  "Return the current buffer as a TextDocumentIdentifier."
  (list :uri (tabby-ls--in-base tabby-ls--uri)))

(defun tabby-ls-position (point)
  "Return POINT as the protocol's position."
  (save-excursion
    (save-restriction
      (widen)
      (goto-char point)
      (let ((inhibit-field-text-motion t))
        (beginning-of-line))
      (list :line (1- (line-number-at-pos)) :character (- point (point))))))

(defun tabby-ls-point (position)
  "Return where POSITION is in the buffer, inside its line."
  (save-excursion
    (save-restriction
      (widen)
      (goto-char (point-min))
      (forward-line (plist-get position :line))
      (let ((inhibit-field-text-motion t))
        (min (+ (point) (plist-get position :character)) (line-end-position))))))

(defun tabby-ls--text (beg end)
  "Return the text from BEG to END as the server can read it.
It has as many characters.  Raw bytes have no place in JSON, and carriage
returns, which Emacs shows where a file mixes line ends, would end a line for
the server but not here."
  (let ((text (buffer-substring-no-properties beg end)))
    (if (string-match-p "[\r\x3fff80-\x3fffff]" text)
        (concat (mapcar (lambda (character)
                          (cond ((eq character ?\r) ?\s)
                                ((>= character #x3fff80) ??)
                                (t character)))
                        text))
      text)))

(defun tabby-ls--whole-text ()
  "Return the text of the buffer."
  (save-restriction
    (widen)
    (tabby-ls--text (point-min) (point-max))))

;;; Keeping in step

(defun tabby-ls-document-open ()
  "Let the server know the current buffer."
  (tabby-ls--in-base
    (when (and (tabby-ls-ready-p) (not (eq tabby-ls--opened-in tabby-ls-connection)))
      (setq tabby-ls--opened-in tabby-ls-connection
            tabby-ls--uri (tabby-ls-uri)
            tabby-ls--changes nil
            tabby-ls--tick (buffer-chars-modified-tick))
      (tabby-ls--add-folder (tabby-ls--project-uri (current-buffer)))
      (jsonrpc-notify tabby-ls-connection :textDocument/didOpen
                      (list :textDocument
                            (list :uri tabby-ls--uri
                                  :languageId (tabby-ls--language)
                                  :version (cl-incf tabby-ls--version)
                                  :text (tabby-ls--whole-text)))))))

(defun tabby-ls-document-close ()
  "Let the server forget the current buffer."
  (tabby-ls--in-base
    (when (tabby-ls--open-p)
      (jsonrpc-notify tabby-ls-connection :textDocument/didClose
                      (list :textDocument (tabby-ls-document))))
    (setq tabby-ls--opened-in nil)))

(defun tabby-ls-document-saved ()
  "Let the server know that the current buffer was saved."
  (when (tabby-ls--open-p)
    (tabby-ls-document-flush)
    (jsonrpc-notify tabby-ls-connection :textDocument/didSave
                    (list :textDocument (tabby-ls-document)))))

(defun tabby-ls-document-renamed ()
  "Let the server know that the current buffer visits another file."
  (tabby-ls-document-close)
  (tabby-ls-document-open))

(defun tabby-ls--open-p ()
  "Return non-nil if the server knows the current buffer."
  (and (tabby-ls-ready-p) (eq tabby-ls--opened-in tabby-ls-connection)))

(defun tabby-ls-document-flush ()
  "Send what has changed in the current buffer."
  (tabby-ls--in-base
    (when (tabby-ls--open-p)
      (tabby-ls--notice-silent-changes)
      (when tabby-ls--changes
        (let ((changes (if (eq tabby-ls--changes 'all)
                           (vector (list :text (tabby-ls--whole-text)))
                         (vconcat (reverse tabby-ls--changes)))))
          (setq tabby-ls--changes nil)
          (jsonrpc-notify tabby-ls-connection :textDocument/didChange
                          (list :textDocument (list :uri tabby-ls--uri
                                                    :version (cl-incf tabby-ls--version))
                                :contentChanges changes)))))))

(defun tabby-ls--notice-silent-changes ()
  "Take note if the text was changed behind the back of the hooks."
  (unless (eql tabby-ls--tick (buffer-chars-modified-tick))
    (setq tabby-ls--changes 'all
          tabby-ls--tick (buffer-chars-modified-tick))))

(defun tabby-ls--before-change (beg end)
  "Remember where the text from BEG to END is, which is about to change."
  (tabby-ls--in-base
    (when tabby-ls--opened-in
      (tabby-ls--notice-silent-changes))
    (when (and tabby-ls--opened-in (not (eq tabby-ls--changes 'all)))
      (let ((start (tabby-ls-position beg)))
        (setq tabby-ls--doomed
              (list beg end start (if (= beg end) start (tabby-ls-position end))))))))

(defun tabby-ls--after-change (beg end length)
  "Remember that LENGTH characters became the text from BEG to END."
  (tabby-ls--in-base
    (when (and tabby-ls--opened-in (not (eq tabby-ls--changes 'all)))
      (setq tabby-ls--tick (buffer-chars-modified-tick))
      (pcase tabby-ls--doomed
        ((and `(,(pred (eql beg)) ,doomed-end ,start ,stop)
              (guard (= (- doomed-end beg) length))
              (guard (length< tabby-ls--changes tabby-ls--most-changes)))
         (push (list :range (list :start start :end stop)
                     :text (save-restriction (widen) (tabby-ls--text beg end)))
               tabby-ls--changes))
        ;; The two hooks do not always agree on what changes.
        (_ (setq tabby-ls--changes 'all)))
      (setq tabby-ls--doomed nil))))

(provide 'tabby-ls-document)
;;; tabby-ls-document.el ends here
