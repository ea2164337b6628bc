;;; tabby-ls-ghost.el --- Suggestions shown as ghost text  -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; A suggestion belongs to the place it was made for, the anchor.  Whatever has
;; been typed between the anchor and point must be the beginning of it, and the
;; line around both must be as it was: then the rest of it is still right, and
;; is shown at point without asking anybody.  Taking a word or a line of it is
;; nothing but typing it.

;;; Code:

(require 'tabby-ls-document)

(defface tabby-ls-ghost '((t :inherit shadow))
  "Face of suggested text."
  :group 'tabby-ls)

(defface tabby-ls-ghost-count '((t :inherit (font-lock-comment-face shadow)))
  "Face of the number of a suggestion among several."
  :group 'tabby-ls)

(cl-defstruct (tabby-ls--suggestion (:copier nil))
  "Text that may come next at the anchor."
  text         ; from the anchor on
  replaces     ; how many characters behind the anchor it stands for
  offset       ; where TEXT begins in the server's item, in characters
  item)        ; the server's item

(cl-defstruct (tabby-ls--ghost (:copier nil))
  "The suggestions for one place, and the one that is shown."
  suggestions  ; a list, best first
  (index 0)
  anchor       ; a marker
  head         ; the anchor's line before it
  tail         ; the anchor's line behind it
  wanted       ; whether the user asked for it
  overlays)

(defvar-local tabby-ls--ghost nil
  "The ghost text of the current buffer; nil if there is none.")

(defvar-local tabby-ls-ghost-active nil
  "Non-nil while ghost text is shown in the current buffer.")

(defun tabby-ls-ghost-hide ()
  "Show no ghost text until `tabby-ls-ghost-follow' is called."
  (when tabby-ls-ghost-active
    (mapc #'delete-overlay (tabby-ls--ghost-overlays tabby-ls--ghost))
    (setq tabby-ls-ghost-active nil)))

(defun tabby-ls-ghost-clear ()
  "Show no ghost text any more."
  (when tabby-ls--ghost
    (tabby-ls-ghost-hide)
    (set-marker (tabby-ls--ghost-anchor tabby-ls--ghost) nil)
    (setq tabby-ls--ghost nil)))

(defun tabby-ls-ghost-forget ()
  "Show nothing of what the current buffer has from the one it was cloned from."
  (remove-overlays (point-min) (point-max) 'tabby-ls t)
  (setq tabby-ls--ghost nil
        tabby-ls-ghost-active nil))

(defun tabby-ls-ghost-show (items &optional wanted)
  "Show the first of ITEMS, a sequence of the server's, at point.
WANTED says that the user asked for it.  Return non-nil if any of them could be
shown."
  (tabby-ls-ghost-clear)
  (when-let* ((suggestions (delq nil (mapcar #'tabby-ls--read-item items))))
    (setq tabby-ls--ghost
          (make-tabby-ls--ghost :suggestions suggestions
                                :anchor (copy-marker (point))
                                :head (tabby-ls--line-before (point))
                                :tail (tabby-ls--line-behind (point))
                                :wanted wanted))
    (tabby-ls-ghost-follow)))

(defun tabby-ls-ghost-more-p ()
  "Return non-nil if the rest of what is shown is still being written."
  (when tabby-ls-ghost-active
    (let* ((item (tabby-ls--suggestion-item (tabby-ls--shown)))
           (arguments (plist-get (plist-get item :command) :arguments)))
      (and (vectorp arguments) (eq t (plist-get (aref arguments 0) :more))))))

(defun tabby-ls-ghost-extend (items)
  "Show the first of ITEMS if what is shown at point is its beginning.
Return non-nil if it is."
  (when-let* (((and tabby-ls-ghost-active (> (length items) 0)))
              (longer (tabby-ls--read-item (elt items 0)))
              ((string-prefix-p (tabby-ls--rest (tabby-ls--shown))
                                (tabby-ls--suggestion-text longer))))
    (tabby-ls-ghost-show items)))

(defun tabby-ls--shown ()
  "Return the suggestion that is shown."
  (nth (tabby-ls--ghost-index tabby-ls--ghost)
       (tabby-ls--ghost-suggestions tabby-ls--ghost)))

(defun tabby-ls-ghost-add (items)
  "Offer ITEMS too, which the server made for point; show the next suggestion."
  (when tabby-ls--ghost
    (let* ((shown (tabby-ls--shown))
           (rest (tabby-ls--rest shown))
           (more (seq-remove (lambda (suggestion)
                               (equal rest (tabby-ls--suggestion-text suggestion)))
                             (delq nil (mapcar #'tabby-ls--read-item items)))))
      (when more
        (let ((here (tabby-ls--moved-to-point shown rest)))
          (tabby-ls-ghost-clear)
          (setq tabby-ls--ghost
                (make-tabby-ls--ghost :suggestions (cons here more)
                                      :index 1
                                      :anchor (copy-marker (point))
                                      :head (tabby-ls--line-before (point))
                                      :tail (tabby-ls--line-behind (point))
                                      :wanted t))
          (tabby-ls-ghost-follow))))))

(defun tabby-ls--moved-to-point (suggestion rest)
  "Return SUGGESTION, of which REST is still to come, as if made for point."
  (make-tabby-ls--suggestion
   :text rest
   :replaces (tabby-ls--replaced suggestion rest)
   :offset (+ (tabby-ls--suggestion-offset suggestion)
              (- (length (tabby-ls--suggestion-text suggestion)) (length rest)))
   :item (tabby-ls--suggestion-item suggestion)))

(defun tabby-ls--read-item (item)
  "Return the server's ITEM as a suggestion for point, nil if it does not fit."
  (let* ((range (plist-get item :range))
         (start (if range (tabby-ls-point (plist-get range :start)) (point)))
         (end (if range (tabby-ls-point (plist-get range :end)) (point)))
         (text (plist-get item :insertText)))
    (when (and (stringp text) (<= start (point) end) (<= end (line-end-position)))
      (let ((typed (tabby-ls--text start (point))))
        (when (and (string-prefix-p typed text) (> (length text) (length typed)))
          (make-tabby-ls--suggestion :text (substring text (length typed))
                                     :replaces (- end (point))
                                     :offset (length typed)
                                     :item item))))))

;;; What is still to come

(defun tabby-ls--line-before (point)
  "Return the text of POINT's line before it."
  (let ((inhibit-field-text-motion t))
    (save-excursion (goto-char point)
                    (buffer-substring-no-properties (line-beginning-position) point))))

(defun tabby-ls--line-behind (point)
  "Return the text of POINT's line behind it."
  (let ((inhibit-field-text-motion t))
    (save-excursion (goto-char point)
                    (buffer-substring-no-properties point (line-end-position)))))

(defun tabby-ls--rest (suggestion)
  "Return what of SUGGESTION is still to come at point.
Nil if the buffer went another way."
  (let ((anchor (tabby-ls--ghost-anchor tabby-ls--ghost)))
    (when (and (<= (point-min) anchor (point))
               (equal (tabby-ls--line-before anchor) (tabby-ls--ghost-head tabby-ls--ghost)))
      (let ((typed (buffer-substring-no-properties anchor (point)))
            (text (tabby-ls--suggestion-text suggestion)))
        (when (string-prefix-p typed text)
          (let ((rest (substring text (length typed))))
            (and (not (string-empty-p rest))
                 (tabby-ls--replaced suggestion rest)
                 rest)))))))

(defun tabby-ls--replaced (suggestion rest)
  "Return how many characters behind point REST, of SUGGESTION, stands for.
Brackets and quotes that were closed automatically since are among them.
Nil if something else has changed there."
  (let* ((tail (tabby-ls--ghost-tail tabby-ls--ghost))
         (now (tabby-ls--line-behind (point)))
         (closed (- (length now) (length tail))))
    (cond ((equal now tail) (tabby-ls--suggestion-replaces suggestion))
          ((and (> closed 0)
                (string-suffix-p tail now)
                (tabby-ls--closes-p (substring now 0 closed) rest))
           (+ closed (tabby-ls--suggestion-replaces suggestion))))))

(defun tabby-ls--closes-p (closers text)
  "Return non-nil if CLOSERS are brackets and quotes, and TEXT has them too."
  (and (string-match-p "\\`[])}>\"'`]+\\'" closers)
       (string-match-p (mapconcat (lambda (closer) (regexp-quote (char-to-string closer)))
                                  closers "\\(?:.\\|\n\\)*")
                       text)))

;;; On the screen

(defun tabby-ls-ghost-wanted-p ()
  "Return non-nil if the user asked for the ghost text."
  (and tabby-ls--ghost (tabby-ls--ghost-wanted tabby-ls--ghost)))

(defun tabby-ls-ghost-fits-p ()
  "Return non-nil if there is ghost text for point, be it hidden or shown."
  (and tabby-ls--ghost (tabby-ls--rest (tabby-ls--shown)) t))

(defun tabby-ls-ghost-follow ()
  "Show what is still to come at point; clear it if the buffer went another way.
Return non-nil if something is shown."
  (when tabby-ls--ghost
    (let* ((suggestion (tabby-ls--shown))
           (rest (tabby-ls--rest suggestion)))
      (if rest
          (tabby-ls--draw (tabby-ls--edit suggestion rest))
        (tabby-ls-ghost-clear))
      tabby-ls-ghost-active)))

(defun tabby-ls--edit (suggestion rest)
  "Return how to put REST, of SUGGESTION, in at point: (INSERT DELETE KEEP).
Of the characters behind point DELETE go and, behind them, KEEP stay: those
that REST ends with are not touched, nor shown twice."
  (let* ((replaced (substring (tabby-ls--line-behind (point)) 0
                              (tabby-ls--replaced suggestion rest)))
         (keep (length (tabby-ls--common-end rest replaced))))
    (list (substring rest 0 (- (length rest) keep))
          (- (length replaced) keep)
          keep)))

(defun tabby-ls--common-end (one other)
  "Return the longest text that both ONE and OTHER end with."
  (let ((start (length other)))
    (while (and (> start 0) (string-suffix-p (substring other (1- start)) one))
      (setq start (1- start)))
    (substring other start)))

(defun tabby-ls--draw (edit)
  "Show EDIT at point, in the selected window only."
  (pcase-let* ((`(,text ,delete ,_keep) edit)
               (shown (make-overlay (point) (point) nil t nil))
               (gone (make-overlay (point) (+ (point) delete) nil t nil)))
    (mapc #'delete-overlay (tabby-ls--ghost-overlays tabby-ls--ghost))
    (setf (tabby-ls--ghost-overlays tabby-ls--ghost) (list shown gone))
    (setq tabby-ls-ghost-active t)
    (overlay-put shown 'tabby-ls t)
    (overlay-put gone 'tabby-ls t)
    (overlay-put gone 'invisible t)
    (overlay-put gone 'window (selected-window))
    (overlay-put shown 'window (selected-window))
    (overlay-put shown 'priority 1000)
    (tabby-ls--make-room text)
    (overlay-put shown 'after-string (tabby-ls--painted text))))

(defun tabby-ls--make-room (text)
  "Scroll just as far as it takes to show all of TEXT at point.
Nobody can judge lines below the window.  Point stays in it."
  (when-let* (((string-search "\n" text))
              ((eq (current-buffer) (window-buffer)))
              ((pos-visible-in-window-p))
              (place (posn-col-row (posn-at-point)))
              (row (cdr place))
              (hidden (- (+ row (tabby-ls--rows (concat (make-string (car place) ?\s) text)))
                         (floor (window-screen-lines))))
              ((> hidden 0)))
    (set-window-start nil
                      (save-excursion
                        (goto-char (window-start))
                        (vertical-motion (min hidden row))
                        (point))
                      t)))

(defun tabby-ls--rows (text)
  "Return how many rows of the window TEXT takes, from the beginning of one."
  (let ((width (window-body-width)))
    (apply #'+ (mapcar (lambda (line)
                         (if truncate-lines 1 (1+ (/ (string-width line) width))))
                       (split-string text "\n")))))

(defun tabby-ls--painted (text)
  "Return TEXT in the faces of ghost text, with the cursor before it."
  (let* ((number (length (tabby-ls--ghost-suggestions tabby-ls--ghost)))
         (count (if (> number 1)
                    (propertize (format "  %d/%d" (1+ (tabby-ls--ghost-index tabby-ls--ghost)) number)
                                'face 'tabby-ls-ghost-count)
                  ""))
         (eol (or (string-search "\n" text) (length text)))
         (painted (propertize text 'face 'tabby-ls-ghost)))
    (setq painted (concat (substring painted 0 eol)
                          (if (equal "" (tabby-ls--line-behind (point))) count "")
                          (substring painted eol)))
    ;; The cursor cannot stand on a line break; it would go behind all of it.
    (when (string-prefix-p "\n" painted)
      (setq painted (concat " " painted)))
    (unless (string-empty-p painted)
      (put-text-property 0 1 'cursor t painted))
    painted))

(defun tabby-ls-ghost-turn (step)
  "Show the suggestion STEP places away; return nil if there is no other."
  (let ((number (length (tabby-ls--ghost-suggestions tabby-ls--ghost))))
    (when (> number 1)
      (let ((former (tabby-ls--ghost-index tabby-ls--ghost))
            (index (tabby-ls--ghost-index tabby-ls--ghost)))
        ;; Others may contradict what was typed since.
        (while (progn (setq index (mod (+ index step) number))
                      (not (or (= index former)
                               (tabby-ls--rest (nth index (tabby-ls--ghost-suggestions
                                                           tabby-ls--ghost)))))))
        (setf (tabby-ls--ghost-index tabby-ls--ghost) index)
        (tabby-ls-ghost-follow)
        (/= index former)))))

;;; Into the buffer

(defun tabby-ls-ghost-insert (&optional regexp)
  "Insert what is still to come, or its beginning that REGEXP matches.
Return (ITEM . LENGTH): the server's item, and nil if all of it was inserted,
else how many characters of it are in the buffer now."
  (let* ((suggestion (tabby-ls--shown))
         (rest (tabby-ls--rest suggestion))
         (part (if (and regexp (string-match regexp rest)) (match-string 0 rest) rest)))
    (pcase-let ((`(,insert ,delete ,keep) (tabby-ls--edit suggestion rest)))
      (undo-boundary)
      (if (< (length part) (length insert))
          (insert part)
        (setq part rest)
        (delete-region (point) (+ (point) delete))
        (insert insert)
        (forward-char keep))
      (cons (tabby-ls--suggestion-item suggestion)
            (and (/= (length part) (length rest))
                 (+ (tabby-ls--suggestion-offset suggestion)
                    (- (length (tabby-ls--suggestion-text suggestion)) (length rest))
                    (length part)))))))

(provide 'tabby-ls-ghost)
;;; tabby-ls-ghost.el ends here
