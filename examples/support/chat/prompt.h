#pragma once
// Lines of input. On a terminal they are edited and called back as in a shell, with libedit; in a
// pipe they are read as they come.
#include <memory>
#include <string>

struct editline;  // libedit's
struct history;

namespace gradus::support {

class Prompt {
 public:
  /// Edits if standard input and standard error are terminals. It shows itself on standard error,
  /// so that standard output may go elsewhere. An editing prompt makes the program's locale UTF-8.
  Prompt();

  /// Whether somebody sees the prompt, and edits.
  bool on_terminal() const { return editor_ != nullptr; }

  /// Reads the next line, without its end; false at the end of the input, or at Ctrl-D. An
  /// interrupted line, by a Ctrl-C that does not end the program, is an empty one.
  bool read(std::string& line);

 private:
  std::unique_ptr<history, void (*)(history*)> history_;
  std::unique_ptr<editline, void (*)(editline*)> editor_;
};

}  // namespace gradus::support
