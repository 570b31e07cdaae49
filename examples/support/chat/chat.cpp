#include "examples/support/chat/chat.h"

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "examples/support/chat/prompt.h"
#include "examples/support/run/number.h"
#include "examples/support/show/terminal.h"
#include "nn/file.h"
#include "nn/text/utf8.h"

namespace gradus::support {

namespace fs = std::filesystem;

namespace {

volatile std::sig_atomic_t interrupted = 0;
void on_interrupt(int) { interrupted = 1; }

/// While it lives, Ctrl-C stops an answer or drops a line; afterwards it is what it was before.
/// Without SA_RESTART, so that the prompt notices it.
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
    "/why           how each token of the last answer was chosen: the five most probable; and how "
    "confident it was\n"
    "/save FILE     write the conversation as JSON; /save! FILE replaces a file\n"
    "/load FILE     read one back and continue from there\n"
    "/quit          end the chat; so do /exit and Ctrl-D\n"
    "Ctrl-C drops the line that you type, or stops the answer. The arrow keys edit a line and call "
    "back earlier ones; Ctrl-R searches them.\n";

/// Without the spaces, and what else is blank, at both ends.
std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n\v\f";
  const size_t begin = text.find_first_not_of(kBlank);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) + 1 - begin);
}

class Session {
 public:
  Session(Conversation& conversation, const Words& words, const std::string& topics)
      : conversation_(conversation), words_(words), topics_(topics) {}

  void run() {
    std::optional<CatchInterrupts> guard;
    if (prompt_.on_terminal()) {
      guard.emplace();
      fmt::print(
          "Ask me something, in English or Chinese; /help lists the commands, /quit ends.\n");
    }
    for (std::string line; !quit_ && prompt_.read(line);) respond(line);
  }

 private:
  void respond(std::string_view line) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";  // with which some files begin
    if (line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
    line = trim(line);
    try {
      if (line.starts_with('/'))
        command(line);
      else if (!line.empty())
        answer(line);
    } catch (const Error& e) { fmt::print("{}\n", printable(e.what())); }
  }

  void answer(std::string_view question) {
    interrupted = 0;
    fmt::print("{}\n", printable(conversation_.reply(question, [] { return interrupted == 0; })));
  }

  void command(std::string_view line) {
    const std::string name(line.substr(0, line.find_first_of(" \t")));
    const std::string argument(trim(line.substr(name.size())));
    if (name == "/help")
      fmt::print("{}\nWhat it can be asked:\n{}", kHelp, topics_);
    else if (name == "/reset")
      reset();
    else if (name == "/temp")
      conversation_.options.sampling.temperature = number<double>(name, argument, 0, 100);
    else if (name == "/topk")
      conversation_.options.sampling.top_k = number<int64_t>(name, argument, 0, words_.size());
    else if (name == "/seed")
      conversation_.generator = Generator(number<uint64_t>(name, argument, 0, ~uint64_t{0}));
    else if (name == "/why")
      why();
    else if (name == "/save" || name == "/save!")
      save(argument, name.ends_with('!'));
    else if (name == "/load")
      load(argument);
    else if (name == "/quit" || name == "/exit")
      quit_ = true;
    else
      fmt::print("{} is not a command; /help lists them. A question does not begin with /.\n",
                 printable(name));
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
      fmt::print("{}", pad(words_.name(choice.chosen), 14));
      for (const Candidate& c : choice.best)
        fmt::print("  {:5.1f} % {}", 100 * c.probability, words_.name(c.id));
      fmt::print("\n");
    }
    if (!conversation_.why().empty())
      fmt::print("its confidence, the product of these: {:.1f} %; {} {:.1f} %\n",
                 100 * conversation_.confidence(),
                 conversation_.doubted() ? "too little to say it: less than" : "at least",
                 100 * conversation_.options.least_confidence);
  }

  static std::string exchanges(size_t n) {
    return fmt::format("{} exchange{}", n, n == 1 ? "" : "s");
  }

  void save(const fs::path& path, bool replace) const {
    check<ValueError>(!path.empty(), "/save: no file is named; write /save FILE");
    std::error_code error;
    const fs::path folder = fs::absolute(path, error).parent_path();
    check<IoError>(fs::is_directory(folder, error), "/save {}: there is no folder {}",
                   path.string(), folder.string());
    check<IoError>(!fs::is_directory(path, error), "/save {0}: {0} is a folder; name a file in it",
                   path.string());
    const bool there = fs::exists(path, error);
    check<IoError>(!there || replace,
                   "/save {0}: the file is there already; name another, or replace it with "
                   "/save! {0}",
                   path.string());
    nlohmann::json turns = nlohmann::json::array();
    for (const auto& [user, bot] : conversation_.transcript())
      turns.push_back({{"user", user}, {"bot", bot}});
    write_file(path, turns.dump(1) + "\n");
    fmt::print("{} written {} {}\n", exchanges(turns.size()), there ? "over" : "to",
               printable(path.string()));
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
    fmt::print("{} read from {}\n", exchanges(turns.size()), printable(path));
  }

  Conversation& conversation_;
  const Words& words_;
  const std::string& topics_;
  Prompt prompt_;
  bool quit_ = false;
};

}  // namespace

void chat(Conversation& conversation, const Words& words, const std::string& topics) {
  Session(conversation, words, topics).run();
}

}  // namespace gradus::support
