#include "examples/support/chat/chat.h"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "examples/support/run/number.h"
#include "examples/support/show/terminal.h"
#include "nn/file.h"
#include "nn/text/utf8.h"

namespace gradus::support {

namespace {

volatile std::sig_atomic_t interrupted = 0;
void on_interrupt(int) { interrupted = 1; }

/// While a chat runs, Ctrl-C means "stop this answer"; afterwards, what it meant before. Without
/// SA_RESTART, so that the prompt notices a Ctrl-C.
class CatchInterrupts {
 public:
  CatchInterrupts() {
    struct sigaction action {};
    action.sa_handler = on_interrupt;
    sigaction(SIGINT, &action, &before_);
  }
  ~CatchInterrupts() { sigaction(SIGINT, &before_, nullptr); }
  CatchInterrupts(const CatchInterrupts&) = delete;
  CatchInterrupts& operator=(const CatchInterrupts&) = delete;

 private:
  struct sigaction before_ {};
};

constexpr const char* kHelp =
    "/help          this list\n"
    "/reset         forget the conversation\n"
    "/temp T        temperature: 0 always takes the most probable token, 1 draws as the model "
    "believes\n"
    "/topk K        draw from the K most probable tokens only; 0: from all\n"
    "/seed N        restart the random numbers\n"
    "/why           how each token of the last answer was chosen: the five most probable\n"
    "/save FILE     write the conversation as JSON\n"
    "/load FILE     read one back and continue from there\n"
    "Ctrl-C stops an answer, Ctrl-D ends the chat. With `rlwrap` before the command you can edit "
    "lines.\n";

class Session {
 public:
  Session(const Gpt& model, const BytePairEncoder& tokenizer, SamplingOptions options,
          uint64_t seed)
      : tokenizer_(tokenizer),
        conversation_(model, tokenizer, options),
        terminal_(isatty(STDIN_FILENO) != 0) {
    conversation_.generator = Generator(seed);
  }

  void run() {
    const CatchInterrupts guard;
    if (terminal_)
      std::fputs(
          "Ask me something, in English or Chinese; /help lists the commands, Ctrl-D ends.\n",
          stdout);
    for (std::string line; read(line);) {
      try {
        if (line.starts_with("/"))
          command(line);
        else if (line.find_first_not_of(" \t\r") != std::string::npos)
          answer(line);
      } catch (const Error& e) { fmt::print("{}\n", printable(e.what())); }
      std::fflush(stdout);
    }
    if (terminal_) std::fputs("\n", stdout);
  }

 private:
  /// Reads the next line; false at the end of the input. Ctrl-C at the prompt starts a new line.
  bool read(std::string& line) {
    while (true) {
      if (terminal_) {
        std::fputs("> ", stdout);
        std::fflush(stdout);
      }
      interrupted = 0;
      if (std::getline(std::cin, line)) {
        if (line.starts_with("\xEF\xBB\xBF"))
          line.erase(0, 3);  // some editors begin a file with it
        if (line.ends_with('\r')) line.pop_back();
        return true;
      }
      if (!interrupted) return false;
      std::cin.clear();
      std::clearerr(stdin);
      std::fputs("\n", stdout);
    }
  }

  void answer(const std::string& question) {
    interrupted = 0;
    conversation_.reply(question, [](std::string_view piece) {
      fmt::print("{}", printable(piece));
      std::fflush(stdout);
      return interrupted == 0;
    });
    std::fputs("\n", stdout);
  }

  void command(const std::string& line) {
    const size_t space = line.find(' ');
    const std::string name = line.substr(0, space);
    std::string argument = space == std::string::npos ? "" : line.substr(space + 1);
    while (!argument.empty() && argument.back() == ' ') argument.pop_back();
    if (name == "/help")
      fmt::print("{}\nWhat it can be asked:\n{}{}", kHelp, what_to_ask(), kLimits);
    else if (name == "/reset")
      reset();
    else if (name == "/temp")
      conversation_.options.temperature = number<double>(name, argument, 0, 100);
    else if (name == "/topk")
      conversation_.options.top_k = number<int64_t>(name, argument, 0, tokenizer_.size());
    else if (name == "/seed")
      conversation_.generator = Generator(number<uint64_t>(name, argument, 0, ~uint64_t{0}));
    else if (name == "/why")
      why();
    else if (name == "/save")
      save(argument);
    else if (name == "/load")
      load(argument);
    else
      fmt::print("{} is not a command; /help lists them\n", printable(name));
  }

  template <class T>
  static T number(const std::string& command, const std::string& text, T low, T high) {
    T value{};
    check<ValueError>(parse_number(text, value) == std::errc{} && value >= low && value <= high,
                      "{}: \"{}\" is not a number from {} to {}", command, text, low, high);
    return value;
  }

  void reset() {
    conversation_.reset();
    fmt::print("forgotten\n");
  }

  void why() const {
    if (conversation_.why().empty()) fmt::print("nothing has been said yet\n");
    for (const Conversation::Choice& choice : conversation_.why()) {
      fmt::print("{}", pad(visible(tokenizer_.token(choice.chosen)), 14));
      for (const Candidate& c : choice.best)
        fmt::print("  {:5.1f} % {}", 100 * c.probability, visible(tokenizer_.token(c.id)));
      fmt::print("\n");
    }
  }

  void save(const std::string& path) const {
    check<ValueError>(!path.empty(), "/save: no file is named; write /save FILE");
    nlohmann::json turns = nlohmann::json::array();
    for (const auto& [user, bot] : conversation_.transcript())
      turns.push_back({{"user", user}, {"bot", bot}});
    write_file(path, turns.dump(1) + "\n");
    fmt::print("{} exchanges written to {}\n", turns.size(), printable(path));
  }

  void load(const std::string& path) {
    check<ValueError>(!path.empty(), "/load: no file is named; write /load FILE");
    const nlohmann::json turns = nlohmann::json::parse(read_file(path, 1 << 20), nullptr, false);
    bool valid = turns.is_array();
    for (const auto& turn : turns)
      valid = valid && turn.is_object() && turn.contains("user") && turn["user"].is_string() &&
              turn.contains("bot") && turn["bot"].is_string();
    check<IoError>(valid,
                   "/load {}: not a conversation, which is a list of {{\"user\": …, \"bot\": …}}",
                   path);
    conversation_.reset();
    for (const auto& turn : turns)
      conversation_.recall(turn["user"].get<std::string>(), turn["bot"].get<std::string>());
    fmt::print("{} exchanges read from {}\n", turns.size(), printable(path));
  }

  const BytePairEncoder& tokenizer_;
  Conversation conversation_;
  bool terminal_;
};

}  // namespace

void chat(const Gpt& model, const BytePairEncoder& tokenizer, SamplingOptions options,
          uint64_t seed) {
  Session(model, tokenizer, options, seed).run();
}

}  // namespace gradus::support
