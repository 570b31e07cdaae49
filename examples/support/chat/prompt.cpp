#include "examples/support/chat/prompt.h"

#include <histedit.h>
#include <unistd.h>

#include <cerrno>
#include <clocale>
#include <cstdio>
#include <iostream>

namespace gradus::support {

namespace {

constexpr int kRemembered = 1000;  // lines

/// Keys that a shell knows and libedit does not.
constexpr const char* kKeys[][2] = {
    {"^R", "em-inc-search-prev"}, {"\\e[1;5C", "em-next-word"},  // Ctrl with an arrow
    {"\\e[1;5D", "ed-prev-word"}, {"\\e[3~", "ed-delete-next-char"},
    {"\\e[1~", "ed-move-to-beg"}, {"\\e[4~", "ed-move-to-end"}};

char* prompt_text(EditLine*) {
  static char text[] = "> ";
  return text;
}

}  // namespace

Prompt::Prompt() : history_(nullptr, history_end), editor_(nullptr, el_end) {
  if (isatty(STDIN_FILENO) == 0 || isatty(STDERR_FILENO) == 0) return;
  if (std::setlocale(LC_CTYPE, "C.UTF-8") == nullptr) std::setlocale(LC_CTYPE, "");
  history_.reset(history_init());
  HistEvent event;
  ::history(history_.get(), &event, H_SETSIZE, kRemembered);
  ::history(history_.get(), &event, H_SETUNIQUE, 1);
  editor_.reset(el_init("gradus", stdin, stderr, stderr));
  if (!editor_) return;
  EditLine* editor = editor_.get();
  el_set(editor, EL_PROMPT, prompt_text);
  el_set(editor, EL_HIST, ::history, history_.get());
  el_set(editor, EL_SIGNAL, 1);  // a signal leaves the terminal as it was before
  el_set(editor, EL_EDITOR, "emacs");
  for (const auto& [key, command] : kKeys) el_set(editor, EL_BIND, key, command, nullptr);
  el_source(editor, nullptr);  // the user's own keys, from ~/.editrc
}

bool Prompt::read(std::string& line) {
  std::fflush(stdout);
  if (!editor_) return static_cast<bool>(std::getline(std::cin, line));
  line.clear();
  int length = 0;
  if (const char* typed = el_gets(editor_.get(), &length)) {
    line.assign(typed, length);
    if (line.ends_with('\n')) line.pop_back();
    HistEvent event;
    if (!line.empty()) ::history(history_.get(), &event, H_ENTER, line.c_str());
    return true;
  }
  const bool interrupted = length < 0 && errno == EINTR;
  std::fputs("\n", stderr);
  return interrupted;
}

}  // namespace gradus::support
