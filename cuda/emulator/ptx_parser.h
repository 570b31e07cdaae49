#pragma once
// The parser, split over ptx_parse.cpp (files, functions), ptx_parse_variables.cpp and
// ptx_parse_code.cpp (the instructions of a function). PTX is made by a compiler, so this reads what nvcc writes, and stops
// by name and line at anything else.
#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cuda/emulator/ptx.h"
#include "cuda/emulator/ptx_tokens.h"

namespace simt::ptx {

class Parser {
 public:
  Parser(std::string_view text, Module& module)
      : text_(text), tokens_(tokenize(text)), module_(module) {}
  void file();

 private:
  // What a name means where the parser stands; an inner { } may declare it anew.
  struct Scope {
    std::map<std::string, uint32_t, std::less<>> registers;
    std::map<std::string_view, Slice> slices;  // .param and .local variables: places in the frame
  };
  struct Declaration {
    std::string_view name;
    Type type = Type::B8;
    size_t bytes = 0, align = 1;
    bool is_extern = false;  // name[]
    int line = 0;
  };

  const Token& peek(size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  std::string_view next() {
    const std::string_view word = peek().text;
    ++at_;
    return word;
  }
  bool accept(std::string_view word) { return peek().text == word && (++at_, true); }
  void expect(std::string_view word) {
    if (!accept(word)) error("`" + std::string(word) + "` expected");
  }
  void skip_to(std::string_view word) {
    while (!peek().text.empty() && next() != word) {}
  }
  [[noreturn]] void error(const std::string& what) const;

  uint64_t bounded(uint64_t most, const char* what);
  Declaration declaration(std::string_view until);
  void variable(Space space);
  void shared_array(const Declaration& d);
  void global_array(const Declaration& d);
  void initialise(GlobalArray& array, Type type);
  uint64_t address_of(std::string_view name);

  void function(bool entry);
  std::vector<Slice> parameters();
  void body();
  void statement();
  void declare_registers();
  void branch_table();
  Slice place(size_t bytes, size_t align);

  void instruction();
  void operands(Instruction& i);
  void address(Instruction& i);
  void call(Instruction& i);
  std::vector<Slice> slices();
  Operand operand();
  uint32_t named(std::string_view name);
  uint32_t constant(uint64_t value);
  uint32_t new_register(uint64_t value = 0);
  void finish();

  std::string_view text_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
  Module& module_;
  uint32_t shared_top_ = 64;
  size_t global_bytes_ = 0;
  size_t registers_ = 0;  // of all functions

  // The function that is being read.
  Function* function_ = nullptr;
  std::vector<Scope> scopes_;
  std::map<uint64_t, uint32_t> constants_;
  std::map<std::string_view, uint32_t> labels_, table_of_;
  std::vector<std::pair<size_t, std::string_view>> jumps_, table_jumps_;
  std::vector<std::vector<std::string_view>> tables_;
};

}  // namespace simt::ptx
