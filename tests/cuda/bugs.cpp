// Runs the planted bugs and shows which build notices what.
//
//   bugs              runs every bug in a process of its own; one line each
//   bugs NAME         those whose name contains NAME, with all their output
//   bugs --table PLAIN
//                     a table for this program and for PLAIN, its counterpart on the plain
//                     emulator, under every schedule. In the checked build, it fails if that missed
//                     a bug, named a wrong line, or reported a correct program.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <string>

#include "tests/cuda/bugs.h"

namespace bugs {
namespace {

std::vector<Bug> all_bugs() {
  std::vector<Bug> all;
  for (auto list : {correct_programs, races, barriers, memory_errors, host_errors, stream_errors}) {
    const std::vector<Bug> more = list();
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

struct Outcome {
  bool report = false, wrong = false;  // a report; a wrong result, an error code, or a signal
  std::string text;
};

/// Runs one bug in a child process, so that what it breaks does not affect the others.
Outcome run_in_child(const Bug& bug) {
  int ends[2];
  if (pipe(ends) != 0) std::abort();
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    alarm(60);
    const bool right = bug.run();
    std::puts(right ? "result: right" : "result: wrong");
    std::fflush(stdout);
    _exit(0);
  }
  close(ends[1]);
  Outcome outcome;
  char buffer[4096];
  for (ssize_t n; (n = read(ends[0], buffer, sizeof buffer)) > 0;) {
    outcome.text.append(buffer, std::size_t(n));
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  outcome.report = outcome.text.find("simt: ") != std::string::npos;
  outcome.wrong = outcome.text.find("result: right") == std::string::npos;
  return outcome;
}

/// The line that is marked as this bug's, "file.cu:12", or "" if there is none.
std::string marked_line(const Bug& bug) {
  const std::string path = bug.where.file_name();
  std::ifstream source(path);
  if (!source) {
    std::fprintf(stderr, "bugs: cannot read %s: run from the repository's root\n", path.c_str());
    std::exit(1);
  }
  const std::string mark = "// BUG: " + std::string(bug.name);
  std::string line;
  for (int number = 1; std::getline(source, line); ++number) {
    if (line.ends_with(mark)) {
      return path.substr(path.rfind('/') + 1) + ":" + std::to_string(number);
    }
  }
  return "";
}

/// What is wrong with the output of the checked build, or "".
std::string complaint(const Bug& bug, const Outcome& outcome) {
  if (!bug.report) {
    if (outcome.report) return "a correct program was reported";
    return outcome.wrong ? "a correct program failed" : "";
  }
  if (!outcome.report) return "not found";
  const auto says = [&](const std::string& text) { return outcome.text.find(text) != text.npos; };
  if (!says(bug.report)) return "the report does not contain '" + std::string(bug.report) + "'";
  if (!says(marked_line(bug))) return "the report does not name " + marked_line(bug);
  return "";
}

std::string letters(const Outcome& outcome) {
  const std::string text = std::string(outcome.report ? "R" : "") + (outcome.wrong ? "w" : "");
  return text.empty() ? "." : text;
}

const std::vector<std::pair<const char*, const char*>> columns = {
    {"plain", "GRADUS_CUDA_SCHEDULE=forward"},    {"reverse", "GRADUS_CUDA_SCHEDULE=reverse"},
    {"random", "GRADUS_CUDA_SCHEDULE=random"},    {"replay", "GRADUS_CUDA_REPLAY=1"},
    {"deferred", "GRADUS_CUDA_STREAMS=deferred"},
};

/// The outcomes of all bugs in another program, as letters by name.
std::map<std::string, std::string> outcomes_of(const std::string& program, const char* setting) {
  std::map<std::string, std::string> result;
  FILE* lines = popen((std::string(setting) + " " + program).c_str(), "r");
  char buffer[400];
  while (lines && std::fgets(buffer, sizeof buffer, lines)) {
    const std::string line = buffer;
    const std::size_t tab = line.find('\t');
    if (tab != line.npos) result[line.substr(tab + 1, line.size() - tab - 2)] = line.substr(0, tab);
  }
  if (!lines || pclose(lines) != 0) {
    std::fprintf(stderr, "bugs: cannot run %s\n", program.c_str());
    std::exit(1);
  }
  return result;
}

int print_table(const std::string& plain) {
  std::vector<std::map<std::string, std::string>> found;
  for (const auto& [name, setting] : columns) found.push_back(outcomes_of(plain, setting));
  std::printf("R: a report   w: a wrong result, an error code, or a crash   .: nothing\n%-50s", "");
  for (const auto& column : columns) std::printf(" %-8s", column.first);
  std::printf(" %-8s %-8s\n", "checked", "+deferred");
  std::string failures;
  const std::vector<Bug> bugs = all_bugs();
  for (const Bug& bug : bugs) {
    std::printf("%-50s", bug.name);
    for (auto& column : found) std::printf(" %-8s", column[bug.name].c_str());
    for (const char* streams : {"eager", "deferred"}) {
      simt::config().deferred = std::strcmp(streams, "deferred") == 0;
      const Outcome outcome = run_in_child(bug);
      std::printf(" %-8s", letters(outcome).c_str());
      const std::string wrong = complaint(bug, outcome);
      if (wrong.empty()) continue;
      failures +=
          std::string("\n") + bug.name + " (" + streams + "): " + wrong + "\n" + outcome.text;
    }
    std::puts("");
  }
  std::printf("%zu programs: %s\n%s", bugs.size(), failures.empty() ? "passed" : "FAILED",
              failures.c_str());
  return failures.empty() ? 0 : 1;
}

int run(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "--table") == 0) return print_table(argv[2]);
  for (const Bug& bug : all_bugs()) {
    if (argc > 1 && !std::strstr(bug.name, argv[1])) continue;
    const Outcome outcome = run_in_child(bug);
    std::printf("%s\t%s\n", letters(outcome).c_str(), bug.name);
    if (argc > 1) std::printf("%s\n", outcome.text.c_str());
  }
  return 0;
}

}  // namespace
}  // namespace bugs

int main(int argc, char** argv) { return bugs::run(argc, argv); }
